import keras
import numpy as np
import pytest
from on_backend import PRECISIONS

from keras_bahdanau.layers.masked_softmax import masked_softmax


def softmax(scores, mask=None, dtype="float32"):
    scores = keras.ops.convert_to_tensor(np.asarray(scores, "float32"), dtype=dtype)
    weights = masked_softmax(scores, mask)
    assert keras.backend.standardize_dtype(weights.dtype) == dtype
    return keras.ops.convert_to_numpy(keras.ops.cast(weights, "float32"))


def test_equals_the_softmax_of_what_is_kept():
    scores = np.random.default_rng(1).normal(size=(3, 6)) * 3
    mask = np.array([[1, 1, 0, 1, 0, 0], [0, 1, 1, 1, 1, 1], [1, 1, 1, 1, 1, 1]], dtype=bool)
    weights = softmax(scores, mask)
    for row, kept, row_weights in zip(scores, mask, weights, strict=True):
        expected = np.exp(row[kept]) / np.exp(row[kept]).sum()
        np.testing.assert_allclose(row_weights[kept], expected, rtol=1e-5)
        assert not row_weights[~kept].any()


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
def test_extreme_scores_stay_finite(dtype):
    scores = [[3e4, -3e4, 3e4, 0.0], [-3e4, -3e4, -3e4, 3e4]]
    mask = np.array([[1, 1, 0, 1], [1, 1, 0, 0]], dtype=bool)
    np.testing.assert_array_equal(softmax(scores, mask, dtype), [[1, 0, 0, 0], [0.5, 0.5, 0, 0]])


def test_a_row_without_any_position_is_zero():
    mask = np.array([[False, False], [False, True]])
    np.testing.assert_array_equal(softmax([[1e9, -1e9], [5.0, 0.0]], mask), [[0, 0], [0, 1]])


def test_one_position_has_all_the_weight():
    # Warnings are errors here: Keras's own softmax warns of an axis of size one.
    np.testing.assert_array_equal(softmax([[3.0], [-1e9]]), [[1], [1]])
    mask = np.array([[True], [False]])
    np.testing.assert_array_equal(softmax([[3.0], [3.0]], mask), [[1], [0]])


def test_half_precision_keeps_small_weights():
    # 2000 equal weights of 0.0005, whose sum float16 could not hold to three digits.
    weights = softmax(np.zeros((1, 2000)), dtype="float16")
    np.testing.assert_allclose(weights, 1 / 2000, rtol=1e-3)


@pytest.mark.parametrize("dtype", [dtype for dtype, _ in PRECISIONS])
def test_wide_scores_stay_wide(dtype):
    weights = masked_softmax(keras.ops.convert_to_tensor([[0.0, 1.0]], dtype=dtype))
    assert keras.backend.standardize_dtype(weights.dtype) == dtype
