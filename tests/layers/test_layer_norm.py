import keras
import numpy as np
import pytest
from attention_oracle import arrays_of
from keras import ops
from on_backend import PRECISIONS, value_and_gradients

from keras_bahdanau.layers.additive_scores import additive_scores, normalized_pairs

RANDOM = np.random.default_rng(8)
PAIRS = {
    "query": RANDOM.normal(size=(2, 3, 6)),
    "keys": RANDOM.normal(size=(2, 4, 6)),
    "features": RANDOM.normal(size=(2, 3, 4, 5)),
    "feature_kernel": RANDOM.normal(size=(5, 6)),
}
GAMMA, BETA, SCALE = RANDOM.normal(size=(3, 6))
NAMES = [("query", "keys"), tuple(PAIRS)]


def normalized_scores(pairs, gamma, beta):
    return additive_scores(
        **normalized_pairs(pairs, gamma, beta), scale=ops.cast(SCALE, gamma.dtype)
    )


def naive_scores(pairs, gamma, beta):
    """`keras.layers.LayerNormalization` on the sum of every pair."""
    inner = pairs["query"][:, :, None] + pairs["keys"][:, None]
    if "features" in pairs:
        inner = inner + ops.matmul(pairs["features"], pairs["feature_kernel"])
    layer = keras.layers.LayerNormalization(
        epsilon=1e-3, dtype=keras.backend.standardize_dtype(inner.dtype)
    )
    layer.build(inner.shape)
    normalized, _ = layer.stateless_call([gamma, beta], [], inner)
    return ops.matmul(ops.tanh(normalized), ops.cast(SCALE, gamma.dtype))


@pytest.mark.parametrize("dtype, tolerance", PRECISIONS)
@pytest.mark.parametrize("names", NAMES)
def test_is_keras_layer_normalization_of_the_sum(names, dtype, tolerance):
    def loss_of(scores):
        def loss(*tensors):
            *tensors, gamma, beta = tensors
            return ops.sum(scores(dict(zip(names, tensors, strict=True)), gamma, beta) ** 2)

        return loss

    arrays = [array.astype(dtype) for array in (*(PAIRS[name] for name in names), GAMMA, BETA)]
    value, gradients = value_and_gradients(loss_of(normalized_scores), arrays)
    expected, expected_gradients = value_and_gradients(loss_of(naive_scores), arrays)
    np.testing.assert_allclose(value, expected, rtol=tolerance)
    for gradient, expected_gradient in zip(gradients, expected_gradients, strict=True):
        assert gradient.dtype == dtype
        size = np.abs(expected_gradient).max()
        np.testing.assert_allclose(gradient, expected_gradient, atol=tolerance * size)


@pytest.mark.parametrize("names", NAMES)
def test_a_sum_without_variance_is_the_offset_alone(names):
    pairs = {name: ops.full(PAIRS[name].shape, 3.0, dtype="float32") for name in names}
    gamma, beta = GAMMA.astype("float32"), BETA.astype("float32")
    scores = additive_scores(
        **normalized_pairs(pairs, gamma, beta), scale=ops.cast(SCALE, "float32")
    )
    np.testing.assert_allclose(arrays_of(scores), np.tanh(BETA) @ SCALE, rtol=1e-5)


def test_half_precision_is_normalized_in_float32():
    # Squares of 300 are beyond float16.
    pairs = {name: ops.cast(300 * PAIRS[name], "float16") for name in ("query", "keys")}
    normalized = normalized_pairs(pairs, GAMMA, BETA)
    for tensor in normalized.values():
        assert keras.backend.standardize_dtype(tensor.dtype) == "float32"
        assert np.isfinite(arrays_of(tensor)).all()
