import keras
import numpy as np
import pytest
from attention_oracle import arrays_of
from keras import ops
from on_backend import cases, value_and_gradients

from keras_bahdanau.recurrent.packed_rnn import SkippingRNN

RANDOM = np.random.default_rng(8)
SEQUENCE = RANDOM.normal(size=(4, 5, 3)).astype("float32")
MASK = np.array([[1, 1, 0, 0, 0], [1] * 5, [0, 1, 0, 1, 0], [0] * 5], dtype=bool)
CELLS = {
    "gru": lambda **kwargs: keras.layers.GRUCell(2, **kwargs),
    "lstm": lambda **kwargs: keras.layers.LSTMCell(2, **kwargs),
    "stack": lambda **kwargs: keras.layers.StackedRNNCells(
        [keras.layers.LSTMCell(2, **kwargs), keras.layers.GRUCell(4, **kwargs)]
    ),
}

WIDTHS = {"gru": [2], "lstm": [2, 2], "stack": [[2, 2], 4]}


def pair(name, **kwargs):
    """A layer, and Keras's own with the same weights."""
    kwargs = {"return_sequences": True, "return_state": True, **kwargs}
    layer = SkippingRNN(CELLS[name](), **kwargs)
    plain = keras.layers.RNN(CELLS[name](), zero_output_for_mask=True, **kwargs)
    for each in (layer, plain):
        each.build(SEQUENCE.shape)
    plain.set_weights([RANDOM.normal(size=weight.shape) for weight in plain.get_weights()])
    layer.set_weights(plain.get_weights())
    return layer, plain


def assert_close(first, second):
    first, second = (keras.tree.flatten(arrays_of(each)) for each in (first, second))
    for one, other in zip(first, second, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)


@pytest.mark.parametrize("go_backwards", [False, True])
@pytest.mark.parametrize("name", cases(CELLS))
def test_outputs_states_and_gradients_are_those_of_keras(name, go_backwards):
    layer, plain = pair(name, go_backwards=go_backwards)
    assert_close(layer(SEQUENCE, mask=MASK), plain(SEQUENCE, mask=MASK))
    states = keras.tree.map_structure(
        lambda width: RANDOM.normal(size=(4, width)).astype("float32"), WIDTHS[name]
    )
    assert_close(*(each(SEQUENCE, initial_state=states, mask=MASK) for each in (layer, plain)))
    assert_close(layer(SEQUENCE), plain(SEQUENCE))

    def loss(layer):
        def function(sequence, *weights):
            (outputs, *states), _ = layer.stateless_call(
                weights, layer.non_trainable_variables, sequence, mask=ops.convert_to_tensor(MASK)
            )
            return sum(ops.sum(ops.sin(each)) for each in (outputs, *keras.tree.flatten(states)))

        return function

    arrays = [SEQUENCE, *map(np.array, layer.get_weights())]
    assert_close(*(value_and_gradients(loss(each), arrays) for each in (layer, plain)))


def test_without_sequences_it_is_kerass_own():
    layer, plain = pair("gru", return_sequences=False)
    assert_close(layer(SEQUENCE, mask=MASK), plain(SEQUENCE, mask=MASK))


def test_dropout_of_a_cell_is_one_mask_for_all_steps():
    layer = SkippingRNN(
        keras.layers.SimpleRNNCell(
            2,
            dropout=0.5,
            seed=1,
            activation="linear",
            kernel_initializer="ones",
            recurrent_initializer="identity",
        ),
        return_sequences=True,
    )
    ones, mask = np.ones((64, 6, 4), dtype="float32"), np.ones((64, 6), dtype=bool)
    mask[:, 4:] = False
    outputs = arrays_of(layer(ones, mask=mask, training=True))[..., 0]
    steps = np.diff(outputs[:, :4], axis=1, prepend=0)
    np.testing.assert_allclose(steps, np.broadcast_to(steps[:, :1], steps.shape), rtol=1e-4)
    assert len(np.unique(steps[:, 0].round(3))) > 2 and not outputs[:, 4:].any()


def test_it_is_saved(tmp_path):
    inputs = keras.Input((None, 3))
    layer = keras.layers.Bidirectional(SkippingRNN(CELLS["gru"](), return_sequences=True))
    outputs = layer(keras.layers.Masking()(inputs))
    model = keras.Model(inputs, outputs)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert type(loaded.layers[-1].forward_layer) is SkippingRNN
    sequence = np.where(MASK[..., None], SEQUENCE, 0)
    assert_close(loaded(sequence), model(sequence))
    assert not arrays_of(model(sequence))[~MASK].any()


def test_skipped_steps_always_have_zero_outputs():
    with pytest.raises(ValueError, match="`zero_output_for_mask` must be True.*=False"):
        SkippingRNN(keras.layers.GRUCell(2), zero_output_for_mask=False)
