import keras
import numpy as np
import pytest
from attention_oracle import arrays_of
from coverage_oracle import coverage_losses
from keras import ops

from keras_bahdanau.layers.coverage_attention import coverage_loss

RANDOM = np.random.default_rng(1)
WEIGHTS = RANDOM.dirichlet(np.ones(6), size=(3, 5)).astype("float32")
# Not only at the end; and no query at all.
QUERY_MASK = np.array([[1, 1, 1, 1, 1], [1, 0, 1, 1, 0], [0, 0, 0, 0, 0]], dtype=bool)


@pytest.mark.parametrize("query_mask", [None, QUERY_MASK])
def test_equals_the_papers_equation(query_mask):
    losses = arrays_of(coverage_loss(WEIGHTS, query_mask))
    np.testing.assert_allclose(losses, coverage_losses(WEIGHTS, query_mask), atol=1e-6)


def test_looking_at_one_place_again_costs_one_and_elsewhere_nothing():
    steps = np.eye(4, dtype="float32")[[2, 0, 2, 1, 0]]
    np.testing.assert_array_equal(arrays_of(coverage_loss(steps[None])), [[0, 0, 1, 0, 1]])


def test_masked_queries_are_as_if_they_were_not_there():
    losses = arrays_of(coverage_loss(WEIGHTS, QUERY_MASK))
    assert not losses[~QUERY_MASK].any()
    kept = QUERY_MASK[1]
    np.testing.assert_allclose(
        losses[1, kept], arrays_of(coverage_loss(WEIGHTS[1:2, kept]))[0], atol=1e-6
    )


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision_is_summed_in_float32(dtype):
    losses = coverage_loss(ops.cast(ops.full((1, 5000, 1), 1.0), dtype))
    assert keras.backend.standardize_dtype(losses.dtype) == "float32"
    np.testing.assert_array_equal(arrays_of(losses)[0], [0.0] + [1.0] * 4999)


def test_wrong_shapes_are_refused():
    with pytest.raises(ValueError, match=r"attention_scores.*Received.*\(5, 6\)"):
        coverage_loss(WEIGHTS[0])
    with pytest.raises(ValueError, match=r"query_mask.*Received.*shape=\(3, 4\)"):
        coverage_loss(WEIGHTS, QUERY_MASK[:, :4])
    with pytest.raises(ValueError, match="query_mask.*Received: dtype=float32"):
        coverage_loss(WEIGHTS, QUERY_MASK.astype("float32"))
