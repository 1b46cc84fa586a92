import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_bahdanau.export.litert.recurrence import TrueLengthRecurrence

CAPACITY, DIM, UNITS = 9, 5, 4


def sequence():
    return tf.constant(np.random.default_rng(0).normal(size=(1, CAPACITY, DIM)), tf.float32)


def mask(length):
    return tf.range(CAPACITY)[tf.newaxis] < length


def run(layer, *arguments, **keywords):
    return [np.array(x) for x in keras.tree.flatten(layer(*arguments, **keywords))]


@pytest.mark.parametrize("length", [1, 4, CAPACITY])
@pytest.mark.parametrize("layer_class", [keras.layers.GRU, keras.layers.LSTM])
def test_it_equals_the_masked_bidirectional_layer(layer_class, length):
    inner = layer_class(UNITS, return_sequences=True, return_state=True)
    layer = keras.layers.Bidirectional(inner)
    expected = run(layer, sequence(), mask=mask(length))
    found = run(TrueLengthRecurrence(layer), sequence(), mask=mask(length))
    assert len(found) == len(expected)
    np.testing.assert_allclose(found[0][:, :length], expected[0][:, :length], atol=1e-6)
    assert not found[0][:, length:].any()
    for ours, theirs in zip(found[1:], expected[1:], strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-6)


@pytest.mark.parametrize("merge_mode", ["concat", "sum", "ave", "mul", None])
@pytest.mark.parametrize("return_sequences", [True, False])
def test_it_merges_as_the_layer_does(merge_mode, return_sequences):
    inner = keras.layers.GRU(UNITS, return_sequences=return_sequences)
    layer = keras.layers.Bidirectional(inner, merge_mode=merge_mode)
    expected = run(layer, sequence())
    found = run(TrueLengthRecurrence(layer), sequence())
    assert len(found) == len(expected)
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-6)


def test_it_starts_from_the_initial_state():
    layer = keras.layers.Bidirectional(keras.layers.LSTM(UNITS, return_sequences=True))
    start = [tf.fill((1, UNITS), 0.1 * index) for index in range(1, 5)]
    expected = run(layer, sequence(), initial_state=start)
    found = run(TrueLengthRecurrence(layer), sequence(), initial_state=start)
    np.testing.assert_allclose(found[0], expected[0], atol=1e-6)


def test_it_takes_a_layer_that_reads_forwards():
    layer = keras.layers.RNN(keras.layers.GRUCell(UNITS), return_state=True)
    expected = run(layer, sequence(), mask=mask(3))
    found = run(TrueLengthRecurrence(layer), sequence(), mask=mask(3))
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-6)


def test_a_layer_that_reads_backwards_alone_is_refused():
    layer = keras.layers.GRU(UNITS, go_backwards=True)
    with pytest.raises(ValueError, match="go_backwards=True"):
        TrueLengthRecurrence(layer)
