import keras
import numpy as np
import pytest
from attention_oracle import arrays_of
from monotonic_oracle import chunk_weights, gradients, numeric_gradients

from keras_bahdanau.layers.monotonic_chunkwise_attention import chunkwise_weights

RANDOM = np.random.default_rng(1)
ALIGNMENT = RANDOM.dirichlet(np.ones(7), size=3) * 0.8
SCORES = RANDOM.normal(size=(3, 7)) * 2
MASK = np.array([[1] * 7, [0, 1, 1, 0, 1, 0, 0], [0] * 7], dtype=bool)


def spread(alignment, scores, chunk_size, mask=None):
    tensors = [keras.ops.convert_to_tensor(x, dtype="float32") for x in (alignment, scores)]
    return arrays_of(chunkwise_weights(*tensors, chunk_size, mask))


def double_sum(alignment, scores, chunk_size, mask=None):
    mask = [None] * len(scores) if mask is None else mask
    rows = zip(alignment, scores, mask, strict=True)
    return np.stack([chunk_weights(alpha, u, chunk_size, kept) for alpha, u, kept in rows])


def moving_sum(values, back, ahead):
    """The paper's MovingSum: at n, the sum from n - (back - 1) to n + ahead - 1."""
    sums = np.zeros_like(values)
    for n in range(values.shape[1]):
        sums[:, n] = values[:, max(n - back + 1, 0) : n + ahead].sum(axis=1)
    return sums


@pytest.mark.parametrize("chunk_size", [1, 2, 3, 7, 20])
@pytest.mark.parametrize("mask", [None, MASK])
def test_equals_the_papers_double_sum(chunk_size, mask):
    alignment = ALIGNMENT if mask is None else ALIGNMENT * mask
    np.testing.assert_allclose(
        spread(alignment, SCORES, chunk_size, mask),
        double_sum(alignment, SCORES, chunk_size, mask),
        atol=1e-6,
    )


@pytest.mark.parametrize("chunk_size", [1, 2, 5])
def test_equals_the_papers_moving_sums(chunk_size):
    exponentials = np.exp(SCORES)
    inner = ALIGNMENT / moving_sum(exponentials, chunk_size, 1)
    expected = exponentials * moving_sum(inner, 1, chunk_size)
    np.testing.assert_allclose(spread(ALIGNMENT, SCORES, chunk_size), expected, atol=1e-6)


def test_a_choice_gives_the_softmax_of_the_chunk_that_it_ends():
    weights = spread(np.eye(7)[[0, 1, 5]], SCORES, 3)
    for row, scores, chunk in zip(
        weights, SCORES, (slice(0, 1), slice(0, 2), slice(3, 6)), strict=True
    ):
        expected = np.zeros(7)
        expected[chunk] = np.exp(scores[chunk]) / np.exp(scores[chunk]).sum()
        np.testing.assert_allclose(row, expected, atol=1e-6)


def test_a_chunk_of_one_is_its_end():
    np.testing.assert_array_equal(spread(ALIGNMENT, SCORES, 1), ALIGNMENT.astype("float32"))


def test_the_sum_stays_and_padding_gets_nothing():
    alignment = ALIGNMENT * MASK
    weights = spread(alignment, SCORES, 3, MASK)
    np.testing.assert_allclose(weights.sum(axis=1), alignment.sum(axis=1), atol=1e-6)
    assert not weights[~MASK].any()


def test_a_chunk_far_below_the_highest_score_keeps_its_softmax():
    scores = np.array([[0.0, 1.0, 1e4, -1e4, -1e4 + 1, 0.0]])
    alignment = np.eye(6)[None, 4]
    expected = 1 / (1 + np.e)
    np.testing.assert_allclose(
        spread(alignment, scores, 2), [[0, 0, 0, expected, 1 - expected, 0]], atol=1e-6
    )


@pytest.mark.parametrize("mask", [None, MASK])
def test_gradients_are_the_numeric_ones(mask):
    probe = RANDOM.normal(size=SCORES.shape)
    alignment = ALIGNMENT if mask is None else ALIGNMENT * mask
    received = gradients(
        lambda *arguments: chunkwise_weights(*arguments, 3, mask), alignment, SCORES, probe=probe
    )
    expected = numeric_gradients(
        lambda *arguments: double_sum(*arguments, 3, mask), alignment, SCORES, probe=probe
    )
    if mask is not None:
        # No weight arrives at padding, so what it would give does not matter.
        received[0], expected[0] = received[0] * mask, expected[0] * mask
    for first, second in zip(received, expected, strict=True):
        np.testing.assert_allclose(first, second, atol=1e-5)
