"""Recurrent attention and models that skip padding."""

import keras
import numpy as np
import pytest
from attention_oracle import arrays_of
from family import RECURRENT, new_recurrent
from keras import ops
from on_backend import cases, value_and_gradients, weighted_loss

from keras_bahdanau import AttentionRNN, BahdanauAttention
from keras_bahdanau.models import TranslationModel
from keras_bahdanau.training.training_model import TrainingModel

RANDOM = np.random.default_rng(3)
INPUTS = RANDOM.normal(size=(4, 5, 3)).astype("float32")
MEMORY = RANDOM.normal(size=(4, 6, 7)).astype("float32")
MEMORY_MASK = np.array([[1] * 6, [1, 1, 0, 0, 0, 0], [1, 0, 1, 1, 0, 0], [1] * 6], dtype=bool)
MASK = np.array([[1, 1, 0, 0, 0], [1] * 5, [1, 1, 1, 0, 0], [0, 1, 0, 1, 0]], dtype=bool)


@pytest.mark.parametrize("name", cases(RECURRENT))
def test_a_row_is_what_it_is_without_padding(name):
    layer = new_recurrent(name, skip_padding=True)
    *outputs, states = layer(INPUTS, MEMORY, memory_mask=MEMORY_MASK, inputs_mask=MASK)
    outputs, states = keras.tree.flatten(arrays_of(outputs)), arrays_of(states)
    for row in (0, 3):
        one, kept = slice(row, row + 1), MASK[row]
        *alone, last = layer(INPUTS[one, kept], MEMORY[one], memory_mask=MEMORY_MASK[one])
        for output, expected in zip(outputs, keras.tree.flatten(arrays_of(alone)), strict=True):
            np.testing.assert_allclose(output[row, kept], expected[0], atol=1e-5)
            assert not output[row, ~kept].any()
        for state, expected in zip(states, arrays_of(last), strict=True):
            np.testing.assert_allclose(state[row], expected[0], atol=1e-5)


@pytest.mark.parametrize("name", cases(["before", "between", "location", "coverage", "several"]))
def test_gradients_of_what_is_kept_are_those_without_skipping(name):
    mask = np.arange(5) < MASK.sum(axis=1, keepdims=True)

    def probe(shape):
        values = np.cos(np.arange(np.prod(shape))).reshape(shape).astype("float32")
        # The last states of the other layer are those after the padding.
        return values * mask[..., None] if len(shape) == 3 else 0 * values

    layers = [new_recurrent(name, skip_padding=skip) for skip in (True, False)]
    for layer in layers:
        layer.build(INPUTS.shape, MEMORY.shape)
    layers[1].set_weights(layers[0].get_weights())
    arrays = [INPUTS, MEMORY, *map(arrays_of, layers[0].trainable_variables)]
    masks = {"memory_mask": MEMORY_MASK, "inputs_mask": mask}
    masks = {key: ops.convert_to_tensor(value) for key, value in masks.items()}
    (value, gradients), (expected, expected_gradients) = (
        value_and_gradients(weighted_loss(layer, probe, **masks), arrays) for layer in layers
    )
    np.testing.assert_allclose(value, expected, rtol=1e-5)
    for gradient, expected_gradient in zip(gradients, expected_gradients, strict=True):
        np.testing.assert_allclose(gradient, expected_gradient, atol=1e-5)


def test_dropout_of_a_cell_while_it_trains():
    layer = AttentionRNN(
        keras.layers.GRUCell(4, dropout=0.5, seed=1), BahdanauAttention(2), skip_padding=True
    )
    outputs, *_ = layer(INPUTS, MEMORY, inputs_mask=MASK, training=True)
    outputs = arrays_of(outputs)
    assert not outputs[~MASK].any() and outputs[MASK].all()


def test_a_keras_mask_of_the_inputs_is_skipped(tmp_path):
    inputs, memory = keras.Input((None, 3)), keras.Input((None, 7))
    layer = new_recurrent("before", skip_padding=True)
    model = keras.Model([inputs, memory], layer(keras.layers.Masking()(inputs), memory)[:2])
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loaded.layers[-1].skip_padding
    for each in (model, loaded):
        outputs, contexts = each.predict([INPUTS * MASK[..., None], MEMORY], verbose=0)
        expected = arrays_of(layer(INPUTS, MEMORY, inputs_mask=MASK)[:2])
        np.testing.assert_allclose(outputs, expected[0], atol=1e-5)
        np.testing.assert_allclose(contexts, expected[1], atol=1e-5)


@pytest.mark.parametrize(
    "options",
    cases(
        [
            pytest.param({"attention": "none"}, marks=pytest.mark.slow),
            pytest.param({}, marks=pytest.mark.exhaustive),
            pytest.param(
                {"cell": "lstm", "num_layers": 2, "order": "after"}, marks=pytest.mark.slow
            ),
            {"order": "between", "tie_embeddings": "all"},
        ]
    ),
)
def test_a_model_that_skips_padding_trains_as_one_that_does_not(options):
    sizes = {"embedding_dim": 4, "encoder_units": 3, "decoder_units": 5, "attention_units": 6}
    models = [TranslationModel(11, **sizes, **options, skip_padding=skip) for skip in (True, False)]
    models[1].set_weights(models[0].get_weights())
    ids = RANDOM.integers(3, 11, size=(3, 4, 5))
    source_ids, target_in_ids, target_ids = ids * (np.arange(5) < [[[2], [5], [3], [1]]])
    inputs = {"source_ids": source_ids, "target_in_ids": target_in_ids}
    losses = []
    for model in models:
        trained = TrainingModel(model)
        trained.compile(optimizer=keras.optimizers.SGD(1.0), jit_compile=False)
        loss = trained.train_on_batch(inputs, target_ids, (target_ids > 0).astype("float32"))
        losses.append(float(loss))
    np.testing.assert_allclose(*losses, rtol=1e-5)
    for weight, expected in zip(*(model.get_weights() for model in models), strict=True):
        np.testing.assert_allclose(weight, expected, atol=1e-5)
