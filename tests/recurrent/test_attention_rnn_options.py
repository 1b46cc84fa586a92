import keras
import numpy as np
import pytest
from attention_oracle import additive_attention, arrays_of, gru_step, weights_by_name

from keras_bahdanau.layers import (
    BahdanauAttention,
    CoverageAttention,
    LocationSensitiveAttention,
    MonotonicAttention,
    MonotonicChunkwiseAttention,
)
from keras_bahdanau.recurrent import AttentionCell, AttentionRNN

RANDOM = np.random.default_rng(4)
INPUTS = RANDOM.normal(size=(3, 5, 4)).astype("float32")
MEMORY = RANDOM.normal(size=(3, 6, 2)).astype("float32")
OTHER = RANDOM.normal(size=(3, 4, 3)).astype("float32")
MASK = np.array([[1] * 6, [1, 1, 1, 0, 0, 0], [1, 0, 1, 1, 1, 0]], dtype=bool)
OTHER_MASK = np.array([[1] * 4, [1, 1, 0, 0], [1, 1, 1, 0]], dtype=bool)
UNITS = 7
ORDERS = ("before", "after", "between")
FAMILY = {
    "plain": lambda: BahdanauAttention(3),
    "normalized": lambda: BahdanauAttention(3, normalize=True, layer_normalization=True),
    "location": lambda: LocationSensitiveAttention(3, filters=2, kernel_size=3, window=(1, 2)),
    "coverage": lambda: CoverageAttention(3, fertility=2.0),
    "monotonic": lambda: MonotonicAttention(3),
    "chunkwise": lambda: MonotonicChunkwiseAttention(3, chunk_size=2),
}


def layer_of(attention, order="before", **kwargs):
    second_cell = keras.layers.GRUCell(UNITS) if order == "between" else None
    return AttentionRNN(
        keras.layers.GRUCell(UNITS), attention, order=order, second_cell=second_cell, **kwargs
    )


def assert_close(first, second, atol=1e-5):
    first, second = (keras.tree.flatten(arrays_of(each)) for each in (first, second))
    for one, other in zip(first, second, strict=True):
        np.testing.assert_allclose(one, other, atol=atol)


def test_the_conditional_gru_attends_between_two_transitions():
    layer = layer_of(BahdanauAttention(3), "between")
    outputs, contexts, weights, states = layer(INPUTS, MEMORY, memory_mask=MASK)
    state = np.zeros((3, UNITS))
    first, second = (weights_by_name(cell) for cell in layer.attention_cell.transitions)
    attention = weights_by_name(layer.attention)
    for i in range(INPUTS.shape[1]):
        between = gru_step(INPUTS[:, i], state, first)
        context, alpha = additive_attention(between[:, None], MEMORY, attention, value_mask=MASK)
        state = gru_step(context[:, 0], between, second)
        assert_close(
            [outputs[:, i], contexts[:, i], weights[:, i]], [state, context[:, 0], alpha[:, 0]]
        )
    assert_close(states, [state])


@pytest.mark.parametrize("name", FAMILY)
def test_after_the_cell_its_outputs_are_the_queries(name):
    # The attention layer itself, given all outputs as queries, comes to the same.
    layer = layer_of(FAMILY[name](), "after")
    outputs, contexts, weights, states = layer(INPUTS, MEMORY, memory_mask=MASK)
    expected = layer.attention(
        outputs,
        MEMORY,
        value_mask=MASK,
        return_attention_scores=True,
        return_attention_state=True,
    )
    assert_close([contexts, weights], expected[:2])
    names = layer.attention.state_names
    assert_close(states[2:], [expected[2][name] for name in names])
    assert_close(states[:2], [outputs[:, -1], contexts[:, -1]])


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("name", FAMILY)
def test_streamed_in_parts_is_the_whole(name, order):
    layer = layer_of(FAMILY[name](), order)
    *whole, last = layer(INPUTS, MEMORY, memory_mask=MASK)
    keys, states, parts = layer.project_keys(MEMORY), None, []
    for part in (INPUTS[:, :2], INPUTS[:, 2], INPUTS[:, 3:4], INPUTS[:, 4:]):
        *results, states = arrays_of(
            layer(part, MEMORY, memory_mask=MASK, keys=keys, initial_state=states)
        )
        parts.append([x if part.ndim == 3 else x[:, None] for x in results])
    assert_close([np.concatenate(each, axis=1) for each in zip(*parts, strict=True)], whole)
    assert_close(states, last)


@pytest.mark.parametrize("order", ORDERS)
def test_several_attentions_each_with_a_memory(order):
    attentions = [CoverageAttention(3), BahdanauAttention(5)]
    layer = layer_of(attentions, order)
    outputs, contexts, weights, states = layer(
        INPUTS, [MEMORY, OTHER], memory_mask=[MASK, OTHER_MASK]
    )
    assert contexts.shape == (3, 5, 2 + 3)
    assert [each.shape for each in weights] == [(3, 5, 6), (3, 5, 4)]
    memories = ((MEMORY, MASK), (OTHER, OTHER_MASK))
    start = 0
    for (memory, mask), each in zip(memories, arrays_of(weights), strict=True):
        np.testing.assert_allclose(each.sum(-1), 1, atol=1e-5)
        assert not each[np.broadcast_to(~mask[:, None], each.shape)].any()
        context = arrays_of(contexts)[..., start : start + memory.shape[-1]]
        np.testing.assert_allclose(each @ memory, context, atol=1e-5)
        start += memory.shape[-1]
    if order == "after":
        for attention, (memory, mask), each in zip(attentions, memories, weights, strict=True):
            _, expected = attention(outputs, memory, value_mask=mask, return_attention_scores=True)
            assert_close(each, expected)


def test_one_memory_for_several_attentions():
    layer = layer_of([BahdanauAttention(3), BahdanauAttention(3)])
    alone = layer(INPUTS, MEMORY, memory_mask=MASK)
    twice = layer(
        INPUTS, [MEMORY, MEMORY], memory_mask=[MASK, MASK], keys=layer.project_keys(MEMORY)
    )
    assert_close(alone, twice)


@pytest.mark.parametrize("order", ORDERS)
def test_the_attention_layer_takes_the_contexts_place(order):
    dense = keras.layers.Dense(6, use_bias=False, activation="tanh")
    layer = layer_of(BahdanauAttention(3), order, attention_layer=dense)
    outputs, contexts, weights, _ = arrays_of(layer(INPUTS, MEMORY, memory_mask=MASK))
    assert contexts.shape == (3, 5, 6)
    kernel = weights_by_name(dense)["kernel"]
    queries = {"after": outputs, "before": np.pad(outputs, ((0, 0), (1, 0), (0, 0)))[:, :-1]}
    if order in queries:
        joined = np.concatenate([queries[order], weights @ MEMORY], axis=-1)
        np.testing.assert_allclose(contexts, np.tanh(joined @ kernel), atol=1e-5)
    widths = {"before": 4 + 6, "after": 4 + 6, "between": 4}
    assert weights_by_name(layer.cell)["kernel"].shape[0] == widths[order]


def test_the_input_layer_joins_inputs_and_context():
    joined = layer_of(BahdanauAttention(3), "before", input_layer=keras.layers.Concatenate())
    plain = AttentionRNN(joined.cell, joined.attention)
    assert_close(joined(INPUTS, MEMORY), plain(INPUTS, MEMORY))
    added = layer_of(
        BahdanauAttention(3),
        "after",
        attention_layer=keras.layers.Dense(4),
        input_layer=keras.layers.Add(),
    )
    added(INPUTS, MEMORY)
    assert weights_by_name(added.cell)["kernel"].shape[0] == 4


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("name", ["plain", "coverage", "monotonic"])
def test_the_cells_states_alone_are_enough_to_start(name, order):
    layer = layer_of(FAMILY[name](), order)
    layer.build(INPUTS.shape, MEMORY.shape)
    state = RANDOM.normal(size=(3, UNITS)).astype("float32")
    _, *others = layer.get_initial_state(MEMORY)
    assert_close(
        layer(INPUTS, MEMORY, initial_state=[state]),
        layer(INPUTS, MEMORY, initial_state=[state, *others]),
    )


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("name", FAMILY)
def test_inside_keras_rnn_it_is_the_same(name, order):
    layer = layer_of(FAMILY[name](), order)
    outputs, contexts, weights, _ = layer(INPUTS, MEMORY, memory_mask=MASK)
    parts = {"cell": outputs, "attention": contexts}
    parts["all"] = np.concatenate(arrays_of([outputs, contexts, weights]), axis=-1)
    for choice, expected in parts.items():
        config = {**layer.attention_cell.get_config(), "output": choice}
        cell = AttentionCell.from_config(config)
        cell.build(INPUTS[:, 0].shape, MEMORY.shape)
        cell.set_weights(layer.attention_cell.get_weights())
        rnn = keras.layers.RNN(cell, return_sequences=True)
        received = rnn(INPUTS, initial_state=cell.initial_states(MEMORY, memory_mask=MASK))
        assert_close(received, expected)


@pytest.mark.parametrize("order", ORDERS)
def test_saved_with_all_options(order, tmp_path):
    layer = layer_of(
        [MonotonicAttention(3, sigmoid_noise=1.0), CoverageAttention(2, coverage_loss_weight=0.5)],
        order,
        attention_layer=[keras.layers.Dense(4), keras.layers.Dense(5)],
    )
    inputs = [keras.Input((None, 4)), keras.Input((None, 2)), keras.Input((None, 3))]
    outputs, contexts, weights, states = layer(inputs[0], inputs[1:])
    model = keras.Model(inputs, [outputs, contexts, *weights, *states])
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    arguments = [INPUTS, MEMORY, OTHER]
    for first, second in zip(
        arrays_of(model(arguments)), arrays_of(loaded(arguments)), strict=True
    ):
        np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("order", ORDERS)
def test_states_are_found_by_name(order):
    layer = layer_of([LocationSensitiveAttention(3, filters=2), BahdanauAttention(3)], order)
    outputs, contexts, weights, states = layer(INPUTS, MEMORY)
    [cell_state], context, [first, second] = layer.split_states(states)
    assert_close(cell_state, outputs[:, -1])
    if order == "after":
        assert_close(context, contexts[:, -1])
    else:
        assert context is None
    assert_close(first["previous_weights"], weights[0][:, -1])
    assert_close(first["cumulative_weights"], arrays_of(weights[0]).sum(1))
    assert second == {}


def test_parts_that_do_not_fit():
    gru, attention = keras.layers.GRUCell(2), BahdanauAttention(2)
    for order, second_cell in (("between", None), ("before", keras.layers.GRUCell(2))):
        with pytest.raises(ValueError, match="Expected `second_cell` with order='between', and"):
            AttentionRNN(gru, attention, order=order, second_cell=second_cell)
    with pytest.raises(ValueError, match=r"of widths \[2\]. Received: \[3\]"):
        AttentionRNN(gru, attention, order="between", second_cell=keras.layers.GRUCell(3))
    with pytest.raises(ValueError, match="Expected no `input_layer` with order='between'"):
        AttentionRNN(
            gru,
            attention,
            order="between",
            second_cell=keras.layers.GRUCell(2),
            input_layer=keras.layers.Add(),
        )
    with pytest.raises(ValueError, match="one for each of 1 attention layers.*a list of 2"):
        AttentionRNN(gru, attention, attention_layer=[keras.layers.Dense(2)] * 2)
    with pytest.raises(ValueError, match="`memory` to be one, or a list .* 1 .*a list of 2"):
        AttentionRNN(gru, attention)(INPUTS, [MEMORY, OTHER])
    with pytest.raises(ValueError, match=r"widths \[7, 6\] or \[7\]. Received: widths \[7, 5\]"):
        layer_of(CoverageAttention(3))(
            INPUTS, MEMORY, initial_state=[np.zeros((3, 7)), np.zeros((3, 5))]
        )
