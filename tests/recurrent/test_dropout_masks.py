import keras
import numpy as np
import pytest
from attention_oracle import arrays_of
from keras import ops
from on_backend import compiled, long_on

from keras_bahdanau import (
    AttentionRNN,
    BahdanauAttention,
    CoverageAttention,
    MonotonicAttention,
)
from keras_bahdanau.recurrent.dropout_masks import has_dropout_masks, no_dropout_masks

ONES = np.ones((64, 6, 4), dtype="float32")
MEMORY = np.ones((64, 5, 3), dtype="float32")


class SummingCell(keras.layers.SimpleRNNCell):
    """A cell whose output adds up what its dropout let through."""

    def __init__(self, units, **kwargs):
        super().__init__(
            units,
            activation="linear",
            kernel_initializer="ones",
            recurrent_initializer="identity",
            **kwargs,
        )
        self.breaks = False

    def call(self, sequence, states, training=False):
        if self.breaks:
            raise RuntimeError("broken")
        return super().call(sequence, states, training=training)


def increments(layer, **kwargs):
    """What each step added to the state: arrays of shape `(batch_size, target_length)`."""
    outputs = arrays_of(layer(ONES, MEMORY, **kwargs)[0])[..., 0]
    return np.diff(outputs, axis=1, prepend=0)


def test_one_input_mask_for_all_steps_and_another_for_the_next_batch():
    layer = AttentionRNN(SummingCell(2, dropout=0.5, seed=1), BahdanauAttention(2))
    np.testing.assert_allclose(increments(layer), 7, rtol=1e-5)
    first, second = increments(layer, training=True), increments(layer, training=True)
    for steps in (first, second):
        np.testing.assert_allclose(steps, np.broadcast_to(steps[:, :1], steps.shape), rtol=1e-4)
        assert len(np.unique(steps[:, 0].round(3))) > 2
    assert (np.abs(first[:, 0] - second[:, 0]) > 0.5).any()
    np.testing.assert_allclose(increments(layer), 7, rtol=1e-5)


def test_one_recurrent_mask_for_all_steps():
    layer = AttentionRNN(SummingCell(8, recurrent_dropout=0.5, seed=1), BahdanauAttention(2))
    outputs = arrays_of(layer(ONES, MEMORY, training=True)[0])
    # A unit that is dropped forgets at each step; one that is kept doubles and adds 7.
    kept = outputs[:, 1] > 7.5
    expected = np.full(kept.shape, 7.0)
    for i in range(1, ONES.shape[1]):
        expected = np.where(kept, 2 * expected + 7, 7)
        np.testing.assert_allclose(outputs[:, i], expected, rtol=1e-4)
    assert 0.3 < kept.mean() < 0.7


def test_position_dropout_takes_positions_away_for_the_whole_sequence():
    layer = AttentionRNN(SummingCell(2), BahdanauAttention(2, position_dropout=0.4, seed=1))
    _, contexts, weights, _ = arrays_of(layer(ONES, MEMORY, training=True))
    np.testing.assert_allclose(weights, 1 / 5, rtol=1e-5)
    np.testing.assert_allclose(contexts, np.broadcast_to(contexts[:, :1], contexts.shape))
    # Five positions of weight 1/5, each either gone or divided by what is kept on average.
    counts = contexts[:, 0, 0] * 5 * 0.6
    np.testing.assert_allclose(counts, counts.round(), atol=1e-4)
    assert len(np.unique(counts.round())) > 2
    assert abs(counts.mean() - 3) < 0.5
    np.testing.assert_allclose(arrays_of(layer(ONES, MEMORY)[1]), 1, rtol=1e-5)


def test_dropout_takes_weights_away_at_each_step_anew():
    layer = AttentionRNN(SummingCell(2), BahdanauAttention(2, dropout=0.4, seed=1))
    _, contexts, weights, _ = arrays_of(layer(ONES, MEMORY, training=True))
    np.testing.assert_allclose(weights, 1 / 5, rtol=1e-5)
    # Five weights of 1/5, each either dropped or divided by the rate that is kept.
    counts = contexts[..., 0] * 5 * 0.6
    np.testing.assert_allclose(counts, counts.round(), atol=1e-4)
    assert (counts.round() != counts[:, :1].round()).any(axis=1).mean() > 0.9
    np.testing.assert_allclose(counts.mean(), 3, atol=0.2)
    np.testing.assert_allclose(arrays_of(layer(ONES, MEMORY)[1]), 1, rtol=1e-5)


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize(
    "attention_class, options",
    [
        (BahdanauAttention, {"dropout": 0.4}),
        (BahdanauAttention, {"position_dropout": 0.4}),
        (CoverageAttention, {"dropout": 0.4, "position_dropout": 0.2}),
        (MonotonicAttention, {"dropout": 0.4, "position_dropout": 0.2, "sigmoid_noise": 2.0}),
    ],
)
def test_dropout_is_that_of_a_call_with_all_queries(attention_class, options, training):
    """The states of a sequence as queries of one call, with the same seed: the same masks."""
    generator = np.random.default_rng(3)
    inputs = generator.normal(size=(5, 6, 4)).astype("float32")
    memory = generator.normal(size=(5, 7, 3)).astype("float32")
    inside, direct = (attention_class(2, seed=1, **options) for _ in range(2))
    layer = AttentionRNN(keras.layers.GRUCell(4), inside)
    outputs, contexts, weights, _ = arrays_of(layer(inputs, memory, training=training))
    direct.build((None, 4), memory.shape)
    direct.set_weights(inside.get_weights())
    queries = np.pad(outputs, ((0, 0), (1, 0), (0, 0)))[:, :-1]
    context, weight = arrays_of(
        direct(queries, memory, training=training, return_attention_scores=True)
    )
    np.testing.assert_allclose(weight, weights, atol=1e-5)
    np.testing.assert_allclose(context, contexts, atol=1e-5)
    undropped = weight @ memory
    assert (np.abs(undropped - context).max() > 0.1) == training


@pytest.mark.parametrize("order", ["before", "after"])
def test_stacked_cells_have_masks_of_their_own(order):
    cells = [SummingCell(2, dropout=0.5, seed=1), SummingCell(3, dropout=0.5, seed=2)]
    layer = AttentionRNN(keras.layers.StackedRNNCells(cells), BahdanauAttention(2), order=order)
    first, second = (arrays_of(layer(ONES, MEMORY, training=True)[0]) for _ in range(2))
    assert (first != second).any()
    assert (arrays_of(layer(ONES, MEMORY)[0]) > 0).all()


def test_a_failed_call_leaves_no_masks_behind():
    layer = AttentionRNN(SummingCell(2, dropout=0.5, seed=1), BahdanauAttention(2))
    layer(ONES, MEMORY)
    layer.cell.breaks = True
    with pytest.raises(RuntimeError, match="broken"):
        layer(ONES[:8], MEMORY[:8], training=True)
    layer.cell.breaks = False
    # A mask kept from the call above would be one of eight rows.
    assert increments(layer, training=True).shape == (64, 6)


def test_no_dropout_masks_inside_the_context_and_the_rates_return():
    cells = [keras.layers.LSTMCell(2, dropout=0.3, recurrent_dropout=0.2) for _ in range(2)]
    layers = [
        keras.layers.RNN(cells),
        keras.layers.Bidirectional(keras.layers.GRU(2, recurrent_dropout=0.4)),
        keras.layers.Dense(2),
    ]
    inner = [*cells, layers[1].forward_layer.cell, layers[1].backward_layer.cell]
    with pytest.raises(RuntimeError, match="broken"), no_dropout_masks(layers):
        assert not any(map(has_dropout_masks, inner))
        raise RuntimeError("broken")
    assert [(cell.dropout, cell.recurrent_dropout) for cell in inner] == [
        (0.3, 0.2),
        (0.3, 0.2),
        (0.0, 0.4),
        (0.0, 0.4),
    ]


@long_on(["torch"])
def test_compiled_training_calls_draw_new_masks():
    layer = AttentionRNN(
        keras.layers.GRUCell(4, dropout=0.5, recurrent_dropout=0.5),
        BahdanauAttention(2, dropout=0.3, position_dropout=0.3),
    )
    layer.build(ONES.shape, MEMORY.shape)

    def run(random_states, inputs):
        results, random_states = layer.stateless_call(
            [variable.value for variable in layer.trainable_variables],
            random_states,
            inputs,
            ops.convert_to_tensor(MEMORY),
            training=True,
        )
        return results[0], random_states

    run = compiled(run)
    states = [variable.value for variable in layer.non_trainable_variables]
    first, states = run(states, ops.convert_to_tensor(ONES))
    second, states = run(states, ops.convert_to_tensor(ONES))
    assert (arrays_of(first) != arrays_of(second)).any()
    # Another shape is another graph; then none at all.
    shorter, _ = run(states, ops.convert_to_tensor(ONES[:, :3]))
    assert tuple(shorter.shape) == (64, 3, 4)
    assert arrays_of(layer(ONES, MEMORY, training=True)[0]).shape == first.shape
