import keras
import numpy as np
import pytest
from keras import ops
from on_backend import value_and_gradients

from keras_bahdanau.recurrent.gru_cell import GRUCell

ARGUMENTS = [
    {},
    {"reset_after": False},
    {"use_bias": False},
    {"activation": "relu", "recurrent_activation": "hard_sigmoid"},
]


def cells(units=4, input_dim=3, **arguments):
    cells = [cell_class(units, **arguments) for cell_class in (GRUCell, keras.layers.GRUCell)]
    generator = np.random.default_rng(0)
    for cell in cells:
        cell.build((None, input_dim))
    weights = [generator.normal(size=w.shape) for w in cells[0].weights]
    for cell in cells:
        cell.set_weights(weights)
    return cells


@pytest.mark.parametrize("arguments", ARGUMENTS)
def test_results_and_gradients_are_those_of_keras(arguments):
    generator = np.random.default_rng(1)
    arrays = [generator.normal(size=(2, width)).astype("float32") for width in (3, 4, 4)]

    def loss_of(cell):
        def loss(inputs, state, factors):
            output, (new_state,) = cell(inputs, [state])
            return ops.sum(factors * (output + new_state))

        return loss

    ours, theirs = (value_and_gradients(loss_of(cell), arrays) for cell in cells(**arguments))
    np.testing.assert_allclose(ours[0], theirs[0], rtol=1e-5)
    for gradient, expected in zip(ours[1], theirs[1], strict=True):
        np.testing.assert_allclose(gradient, expected, atol=1e-5)


def test_dropout_masks_are_those_of_keras():
    inputs, state = np.ones((2, 3), "float32"), np.ones((2, 4), "float32")
    ours, theirs = (cell(inputs, [state], training=True)[0] for cell in cells(dropout=0.5, seed=3))
    np.testing.assert_allclose(ops.convert_to_numpy(ours), ops.convert_to_numpy(theirs), rtol=1e-5)


def test_products_of_half_precision_stay_close():
    inputs = np.random.default_rng(2).normal(size=(2, 5, 3)).astype("float32")
    exact, _ = cells()
    half, _ = cells(dtype="mixed_bfloat16")
    outputs = [keras.layers.RNN(cell, dtype=cell.dtype_policy)(inputs) for cell in (exact, half)]
    assert keras.backend.standardize_dtype(outputs[1].dtype) == "bfloat16"
    outputs = [ops.convert_to_numpy(ops.cast(output, "float32")) for output in outputs]
    np.testing.assert_allclose(*outputs, atol=0.05)


def test_the_cell_is_saved_by_its_name(tmp_path):
    inputs = keras.Input((None, 3))
    model = keras.Model(inputs, keras.layers.RNN(GRUCell(4))(inputs))
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert type(loaded.layers[-1].cell) is GRUCell
    data = np.ones((2, 5, 3), "float32")
    np.testing.assert_allclose(model.predict(data), loaded.predict(data), rtol=1e-6)
