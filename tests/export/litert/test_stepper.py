import keras
import numpy as np

from keras_bahdanau.export.litert.stepper import float32_copy
from keras_bahdanau.models import TranslationModel

INPUTS = {"source_ids": np.array([[5, 6, 3, 0]]), "target_in_ids": np.array([[2, 7]])}


def model():
    return TranslationModel(
        20, embedding_dim=8, encoder_units=6, decoder_units=7, attention_units=5
    )


def test_a_mixed_precision_model_becomes_one_that_computes_in_float32():
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_float16")
    try:
        mixed = model()
    finally:
        keras.config.set_dtype_policy(policy)
    plain = model()
    plain.set_weights(mixed.get_weights())
    copy = float32_copy(mixed)
    np.testing.assert_array_equal(copy(INPUTS), plain(INPUTS))
    assert {layer.compute_dtype for layer in copy.decoder.layers} == {"float32"}
    assert keras.config.dtype_policy() == policy


def test_the_copy_shares_nothing_with_the_model():
    original = model()
    expected = np.array(original(INPUTS))
    copy = float32_copy(original)
    for weight in copy.weights:
        weight.assign(weight * 0)
    np.testing.assert_array_equal(original(INPUTS), expected)
