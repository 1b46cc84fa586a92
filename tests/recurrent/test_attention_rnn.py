import keras
import numpy as np
import pytest
from attention_oracle import arrays_of, attentive_gru, weights_by_name
from on_backend import PRECISIONS

from keras_bahdanau import AttentionRNN, BahdanauAttention

RANDOM = np.random.default_rng(3)
INPUTS = RANDOM.normal(size=(3, 5, 4)).astype("float32")
MEMORY = RANDOM.normal(size=(3, 6, 2)).astype("float32")
MASK = np.array([[1] * 6, [1, 1, 1, 0, 0, 0], [1, 0, 1, 1, 1, 0]], dtype=bool)
ORDERS = ("before", "after")
CELLS = {
    "gru": lambda **rates: keras.layers.GRUCell(7, **rates),
    "lstm": lambda **rates: keras.layers.LSTMCell(7, **rates),
    "stacked_gru": lambda **rates: keras.layers.StackedRNNCells(
        [keras.layers.GRUCell(5, **rates), keras.layers.GRUCell(7, **rates)]
    ),
    "stacked_lstm": lambda **rates: keras.layers.StackedRNNCells(
        [keras.layers.LSTMCell(5, **rates), keras.layers.LSTMCell(7, **rates)]
    ),
}


def layer_of(cell="gru", order="before", attention_dropout=0.0, **rates):
    attention = BahdanauAttention(3, dropout=attention_dropout)
    return AttentionRNN(CELLS[cell](**rates), attention, order=order)


@pytest.mark.parametrize("initial", [False, True])
def test_equals_the_papers_decoder(initial):
    layer = layer_of("gru", "before")
    state = RANDOM.normal(size=(3, 7)).astype("float32") if initial else np.zeros((3, 7))
    *results, states = layer(
        INPUTS, MEMORY, memory_mask=MASK, initial_state=[state] if initial else None
    )
    expected = attentive_gru(
        INPUTS, MEMORY, state, weights_by_name(layer.cell), weights_by_name(layer.attention), MASK
    )
    for result, array in zip(arrays_of(results), expected, strict=True):
        np.testing.assert_allclose(result, array, atol=1e-5)
    np.testing.assert_allclose(arrays_of(states[0]), expected[0][:, -1], atol=1e-5)


@pytest.mark.parametrize("rank", [2, 3])
@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("cell", CELLS)
def test_steps_one_by_one_are_the_whole_sequence(cell, order, rank):
    layer = layer_of(cell, order)
    *results, last_states = arrays_of(layer(INPUTS, MEMORY, memory_mask=MASK))
    keys, states = layer.project_keys(MEMORY), layer.get_initial_state(MEMORY)
    for i in range(INPUTS.shape[1]):
        step_inputs = INPUTS[:, i] if rank == 2 else INPUTS[:, i : i + 1]
        *steps, states = layer(
            step_inputs, MEMORY, memory_mask=MASK, keys=keys, initial_state=states
        )
        for result, step in zip(results, arrays_of(steps), strict=True):
            step = step if rank == 2 else step[:, 0]
            np.testing.assert_allclose(step, result[:, i], atol=1e-5)
    for state, last_state in zip(states, last_states, strict=True):
        np.testing.assert_allclose(arrays_of(state), last_state, atol=1e-5)


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("cell", ["gru", "stacked_lstm"])
def test_padding_of_the_memory_changes_nothing(cell, order):
    layer = layer_of(cell, order)
    outputs, contexts, weights, states = layer(INPUTS, MEMORY)
    noise = 100 * RANDOM.normal(size=(3, 2, 2)).astype("float32")
    padded = layer(
        INPUTS,
        np.concatenate([MEMORY, noise], axis=1),
        memory_mask=np.array([[True] * 6 + [False] * 2] * 3),
    )
    assert not arrays_of(padded[2])[..., 6:].any()
    pairs = zip(
        arrays_of([outputs, contexts, weights, *states]),
        arrays_of([padded[0], padded[1], padded[2][..., :6], *padded[3]]),
        strict=True,
    )
    for short, long in pairs:
        np.testing.assert_allclose(long, short, atol=1e-6)


def test_a_row_does_not_see_its_neighbours():
    layer = layer_of("lstm", "after")
    together = arrays_of(layer(INPUTS, MEMORY, memory_mask=MASK))
    alone = arrays_of(layer(INPUTS[1:2], MEMORY[1:2], memory_mask=MASK[1:2]))
    for many, one in zip(keras.tree.flatten(together), keras.tree.flatten(alone), strict=True):
        np.testing.assert_allclose(one[0], many[1], atol=1e-6)


def test_masks_of_keras_arrive_by_name():
    layer = layer_of()
    memory = keras.layers.Embedding(5, 2, mask_zero=True)(np.array([[4, 3, 0]]))
    _, _, weights, _ = arrays_of(layer(INPUTS[:1], memory))
    assert not weights[..., 2].any()
    np.testing.assert_allclose(weights.sum(-1), 1, atol=1e-6)


def test_the_mask_of_the_inputs_goes_on():
    # The loss of a model leaves out the steps whose mask is False.
    target_ids, targets = np.array([[4, 3, 0, 0]]), np.zeros((1, 4, 7), dtype="float32")
    ids, memory = keras.Input((None,), dtype="int32"), keras.Input((None, 2))
    embedded = keras.layers.Embedding(5, 4, mask_zero=True)(ids)
    outputs, _, _, _ = layer_of()(embedded, memory)
    model = keras.Model([ids, memory], outputs)
    model.compile(loss="mse", run_eagerly=True)
    squares = arrays_of(model([target_ids, MEMORY[:1]]))[0, :2] ** 2
    loss = model.evaluate([target_ids, MEMORY[:1]], targets, verbose=0)
    np.testing.assert_allclose(loss, squares.mean(), rtol=1e-4)


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("cell", CELLS)
def test_is_saved_inside_a_functional_model(cell, order, tmp_path):
    layer = layer_of(cell, order, attention_dropout=0.2, dropout=0.3, recurrent_dropout=0.3)
    inputs, memory = keras.Input((None, 4)), keras.Input((None, 2))
    mask = keras.Input((None,), dtype="bool")
    outputs, contexts, weights, states = layer(inputs, memory, memory_mask=mask)
    real = layer(INPUTS, MEMORY, memory_mask=MASK)
    symbols = keras.tree.flatten([outputs, contexts, weights, states])
    for symbol, tensor in zip(symbols, keras.tree.flatten(real), strict=True):
        sizes = zip(symbol.shape, tensor.shape, strict=True)
        assert all(expected in (None, received) for expected, received in sizes)
    model = keras.Model([inputs, memory, mask], symbols)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    arguments = [INPUTS, MEMORY, MASK]
    for first, second in zip(
        arrays_of(model(arguments)), arrays_of(loaded(arguments)), strict=True
    ):
        np.testing.assert_array_equal(first, second)


def test_trains_compiled_with_dropout():
    layer = layer_of(
        "stacked_lstm", "after", attention_dropout=0.2, dropout=0.3, recurrent_dropout=0.3
    )
    inputs, memory = keras.Input((None, 4)), keras.Input((None, 2))
    outputs, contexts, _, _ = layer(inputs, memory)
    model = keras.Model([inputs, memory], keras.layers.Concatenate()([outputs, contexts]))
    model.compile(loss="mse", optimizer="sgd")
    before = model.get_weights()
    # Twice: a dropout mask that leaked from the graph of one step would break the second.
    model.fit([INPUTS, MEMORY], np.ones((3, 5, 9)), epochs=2, verbose=0)
    for old, new in zip(before, model.get_weights(), strict=True):
        assert np.isfinite(new).all() and (old != new).any()


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("cell", ["lstm", "stacked_gru"])
def test_config_rebuilds_the_same_layer(cell, order):
    layer = layer_of(cell, order, attention_dropout=0.2, dropout=0.3)
    assert AttentionRNN.from_config(layer.get_config()).get_config() == layer.get_config()


@pytest.mark.parametrize(
    "dtype", ["mixed_float16", "mixed_bfloat16", *(dtype for dtype, _ in PRECISIONS)]
)
def test_dtype_policies_reach_everything(dtype):
    attention = BahdanauAttention(3, dtype=dtype)
    layer = AttentionRNN(keras.layers.GRUCell(7, dtype=dtype), attention, dtype=dtype)
    results = keras.tree.flatten(layer(INPUTS, MEMORY, memory_mask=MASK))
    symbols = layer(*(keras.KerasTensor(array.shape) for array in (INPUTS, MEMORY)))
    for tensor, symbol in zip(results, keras.tree.flatten(symbols), strict=True):
        assert keras.backend.standardize_dtype(tensor.dtype) == layer.compute_dtype == symbol.dtype
        assert np.isfinite(arrays_of(keras.ops.cast(tensor, "float32"))).all()
    np.testing.assert_allclose(
        arrays_of(keras.ops.cast(results[2], "float32")).sum(-1), 1, atol=0.01
    )


@pytest.mark.parametrize("widths", [[7], [6, 7], [7, 7, 2], []])
def test_wrong_initial_state(widths):
    layer = layer_of("lstm")
    states = [np.zeros((3, width), "float32") for width in widths]
    with pytest.raises(ValueError, match=r"`initial_state`.*widths \[7, 7\].*Received: widths"):
        layer(INPUTS, MEMORY, initial_state=states)


def test_wrong_masks_keys_and_shapes():
    layer = layer_of()
    layer(INPUTS, MEMORY)
    with pytest.raises(ValueError, match=r"`memory_mask` to be a bool tensor.*dtype=float32"):
        layer(INPUTS, MEMORY, memory_mask=MASK.astype("float32"))
    with pytest.raises(ValueError, match=r"`memory_mask` to be a bool tensor.*shape=\(3, 5\)"):
        layer(INPUTS, MEMORY, memory_mask=MASK[:, :5])
    with pytest.raises(ValueError, match=r"`keys` of shape \(3, 6, 3\)"):
        layer(INPUTS, MEMORY, keys=MEMORY)
    with pytest.raises(ValueError, match="`inputs` of shape .*Received: inputs.shape"):
        layer(INPUTS[0, 0], MEMORY)
    with pytest.raises(ValueError, match="same batch size"):
        layer(INPUTS[:2], MEMORY)
