import keras
import numpy as np
from attention_oracle import arrays_of

from keras_bahdanau.layers import (
    CoverageAttention,
    MonotonicAttention,
    MonotonicChunkwiseAttention,
    coverage_loss,
)
from keras_bahdanau.recurrent import AttentionRNN

RANDOM = np.random.default_rng(5)
INPUTS = RANDOM.normal(size=(3, 5, 4)).astype("float32")
MEMORY = RANDOM.normal(size=(3, 6, 2)).astype("float32")
UNITS = 7


def test_trains_with_noise_dropout_and_a_coverage_loss():
    layer = AttentionRNN(
        keras.layers.GRUCell(UNITS, dropout=0.3, recurrent_dropout=0.3),
        [
            MonotonicChunkwiseAttention(3, chunk_size=2, sigmoid_noise=1.0, dropout=0.2),
            CoverageAttention(3, coverage_loss_weight=1.0),
        ],
        order="between",
        second_cell=keras.layers.GRUCell(UNITS, dropout=0.3),
    )
    inputs, memory = keras.Input((None, 4)), keras.Input((None, 2))
    outputs, contexts, _, _ = layer(inputs, memory)
    model = keras.Model([inputs, memory], keras.layers.Concatenate()([outputs, contexts]))
    model.compile(loss="mse", optimizer="sgd")
    before = model.get_weights()
    model.fit([INPUTS, MEMORY], np.ones((3, 5, UNITS + 4)), epochs=2, verbose=0)
    changed = [(old != new).any() for old, new in zip(before, model.get_weights(), strict=True)]
    assert all(np.isfinite(weight).all() for weight in model.get_weights())
    # All but the states of the seeds that this run did not draw from.
    assert sum(changed) >= len(model.trainable_weights)


def test_noise_is_for_training_alone():
    layer = AttentionRNN(
        keras.layers.GRUCell(UNITS), MonotonicAttention(3, sigmoid_noise=5.0, seed=1)
    )
    first, second = (arrays_of(layer(INPUTS, MEMORY)[2]) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    noisy, again = (arrays_of(layer(INPUTS, MEMORY, training=True)[2]) for _ in range(2))
    assert np.abs(noisy - first).max() > 0.01 and np.abs(noisy - again).max() > 0.01


def test_the_coverage_loss_is_that_of_the_weights():
    layer = AttentionRNN(
        keras.layers.GRUCell(UNITS), CoverageAttention(3, coverage_loss_weight=0.5)
    )
    layer(INPUTS, MEMORY)
    assert layer.losses == []
    _, _, weights, _ = layer(INPUTS, MEMORY, training=True)
    [loss] = arrays_of(layer.losses)
    np.testing.assert_allclose(loss, 0.5 * arrays_of(coverage_loss(weights)).mean(), rtol=1e-5)


def test_padding_of_the_inputs_is_left_out_of_the_coverage_loss():
    layer = AttentionRNN(
        keras.layers.GRUCell(UNITS), CoverageAttention(3, coverage_loss_weight=0.5)
    )
    ids = np.array([[4, 3, 2, 1, 2], [1, 2, 0, 0, 0], [3, 3, 3, 0, 0]])
    embedded = keras.layers.Embedding(5, 4, mask_zero=True)(ids)
    _, _, weights, _ = layer(embedded, MEMORY, training=True)
    [loss] = arrays_of(layer.losses)
    steps = arrays_of(coverage_loss(weights))[ids != 0]
    np.testing.assert_allclose(loss, 0.5 * steps.mean(), rtol=1e-5)
