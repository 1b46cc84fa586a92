import keras
import numpy as np
import pytest
from attention_oracle import arrays_of

from keras_bahdanau import AttentionCell, BahdanauAttention

RANDOM = np.random.default_rng(2)
INPUTS = RANDOM.normal(size=(2, 4, 3)).astype("float32")
MEMORY = RANDOM.normal(size=(2, 5, 6)).astype("float32")
MASK = np.array([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]], dtype=bool)
UNITS = 7


def attention_cell(order="before", cell=None, **kwargs):
    cell = AttentionCell(cell or keras.layers.GRUCell(UNITS), BahdanauAttention(4), order, **kwargs)
    cell.build((None, INPUTS.shape[-1]), (None, None, MEMORY.shape[-1]))
    return cell


def first_states(cell):
    zeros = [np.zeros((2, size), "float32") for size in cell.recurrent_state_size]
    return [*zeros, MEMORY, cell.attention.project_keys(MEMORY), MASK]


def test_before_asks_with_the_previous_state():
    cell = attention_cell("before")
    states = first_states(cell)
    states[0] = RANDOM.normal(size=(2, UNITS)).astype("float32")
    outputs, new_states = cell(INPUTS[:, 0], states)
    output, context, weights = arrays_of(cell.split_outputs(outputs))
    expected = cell.attention(states[0], MEMORY, value_mask=MASK, return_attention_scores=True)
    np.testing.assert_allclose(context, arrays_of(expected[0]), atol=1e-6)
    np.testing.assert_allclose(weights, arrays_of(expected[1]), atol=1e-6)
    inner, _ = cell.cell(np.concatenate([INPUTS[:, 0], context], axis=-1), [states[0]])
    np.testing.assert_allclose(output, arrays_of(inner), atol=1e-6)
    np.testing.assert_array_equal(arrays_of(new_states[0]), output)


def test_after_asks_with_the_new_output_and_feeds_the_context_on():
    cell = attention_cell("after")
    states = first_states(cell)
    states[1] = RANDOM.normal(size=(2, 6)).astype("float32")
    outputs, new_states = cell(INPUTS[:, 0], states)
    output, context, weights = arrays_of(cell.split_outputs(outputs))
    inner, _ = cell.cell(np.concatenate([INPUTS[:, 0], states[1]], axis=-1), [states[0]])
    np.testing.assert_allclose(output, arrays_of(inner), atol=1e-6)
    expected = cell.attention(output, MEMORY, value_mask=MASK, return_attention_scores=True)
    np.testing.assert_allclose(context, arrays_of(expected[0]), atol=1e-6)
    np.testing.assert_allclose(weights, arrays_of(expected[1]), atol=1e-6)
    np.testing.assert_array_equal(arrays_of(new_states[1]), context)


def test_the_top_layers_hidden_state_is_the_query():
    stacked = keras.layers.StackedRNNCells([keras.layers.LSTMCell(3), keras.layers.LSTMCell(UNITS)])
    cell = attention_cell("before", stacked)
    assert cell.recurrent_state_size == [3, 3, UNITS, UNITS]
    states = first_states(cell)
    states[:4] = [RANDOM.normal(size=(2, size)).astype("float32") for size in (3, 3, UNITS, UNITS)]
    _, _, weights = cell.split_outputs(cell(INPUTS[:, 0], states)[0])
    _, expected = cell.attention(states[2], MEMORY, value_mask=MASK, return_attention_scores=True)
    np.testing.assert_allclose(arrays_of(weights), arrays_of(expected), atol=1e-6)


@pytest.mark.parametrize("order", ["before", "after"])
def test_memory_keys_and_mask_go_through_unchanged(order):
    cell = attention_cell(order)
    states = first_states(cell)
    _, new_states = cell(INPUTS[:, 0], states)
    for before, after in zip(states[-3:], new_states[-3:], strict=True):
        np.testing.assert_array_equal(arrays_of(after), arrays_of(before))
    assert len(new_states) == len(states) == len(cell.state_size)


@pytest.mark.parametrize("order", ["before", "after"])
def test_inside_keras_rnn_equals_its_own_steps(order):
    cell = attention_cell(order)
    rnn = keras.layers.RNN(cell, return_sequences=True, return_state=True)
    outputs, *last_states = rnn(INPUTS, initial_state=first_states(cell))
    states = first_states(cell)
    for i in range(INPUTS.shape[1]):
        step_outputs, states = cell(INPUTS[:, i], states)
        np.testing.assert_allclose(arrays_of(outputs)[:, i], arrays_of(step_outputs), atol=1e-6)
    for last, state in zip(last_states, states, strict=True):
        np.testing.assert_allclose(arrays_of(last), arrays_of(state).astype("float32"), atol=1e-6)


@pytest.mark.parametrize("order", ["before", "after"])
def test_saved_inside_keras_rnn(order, tmp_path):
    cell = attention_cell(order)
    inputs, states = (
        keras.Input((None, 3)),
        [
            *(keras.Input((size,)) for size in cell.recurrent_state_size),
            keras.Input((5, 6)),
            keras.Input((5, 4)),
            keras.Input((5,)),
        ],
    )
    outputs = keras.layers.RNN(cell, return_sequences=True)(inputs, initial_state=states)
    model = keras.Model([inputs, states], outputs)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    arguments = [INPUTS, [arrays_of(state) for state in first_states(cell)]]
    np.testing.assert_array_equal(arrays_of(loaded(arguments)), arrays_of(model(arguments)))


@pytest.mark.parametrize(
    "cell",
    [keras.layers.GRUCell(UNITS), keras.layers.StackedRNNCells([keras.layers.LSTMCell(UNITS)])],
)
def test_config_rebuilds_the_same_cell(cell):
    first = attention_cell("after", cell)
    second = AttentionCell.from_config(first.get_config())
    second.build((None, 3), (None, None, 6))
    assert second.get_config() == first.get_config()
    second.set_weights(first.get_weights())
    outputs = [arrays_of(each(INPUTS[:, 0], first_states(first))[0]) for each in (first, second)]
    np.testing.assert_array_equal(*outputs)


def test_unknown_order():
    with pytest.raises(
        ValueError, match=r"`order` must be one of \('before', 'after', 'between'\).*order='mid'"
    ):
        AttentionCell(keras.layers.GRUCell(2), BahdanauAttention(2), order="mid")


def test_keras_rnn_cannot_build_it():
    cell = AttentionCell(keras.layers.GRUCell(2), BahdanauAttention(2))
    states = [np.zeros((2, 2), "float32"), MEMORY, MEMORY[..., :2], MASK]
    with pytest.raises(ValueError, match=r"Call `build\(inputs_shape, memory_shape\)` before"):
        keras.layers.RNN(cell)(INPUTS, initial_state=states)
