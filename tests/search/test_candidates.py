import numpy as np
import pytest
from keras import ops

from keras_bahdanau.search.next_tokens import IMPOSSIBLE, largest, next_tokens


@pytest.mark.parametrize("columns", [5, 97, 1000, 1009, 4000, 8000])
@pytest.mark.parametrize("k", [1, 2, 5])
def test_largest_is_top_k(columns, k):
    random = np.random.default_rng(columns)
    # Distinct numbers, so that there is one right order.
    values = np.stack([random.permutation(columns) for _ in range(7)]).astype("float32")
    top, indices = largest(ops.convert_to_tensor(values), k)
    expected = np.argsort(-values, axis=1)[:, :k]
    np.testing.assert_array_equal(ops.convert_to_numpy(indices), expected)
    np.testing.assert_array_equal(
        ops.convert_to_numpy(top), np.take_along_axis(values, expected, axis=1)
    )


@pytest.mark.parametrize("columns", [6, 4000])
def test_largest_gives_equal_values_once_each(columns):
    _, indices = largest(ops.zeros((2, columns)), 5)
    for row in ops.convert_to_numpy(indices):
        assert len(set(row.tolist())) == 5


@pytest.mark.parametrize("scale", [1, 30, 1000])
def test_log_probabilities_are_those_of_the_softmax(scale):
    logits = np.random.default_rng(0).normal(scale=scale, size=(4, 1200)).astype("float32")
    values, token_ids = next_tokens(ops.convert_to_tensor(logits), 6)
    exact = logits.astype("float64")
    exact -= exact.max(axis=1, keepdims=True)
    exact -= np.log(np.exp(exact).sum(axis=1, keepdims=True))
    token_ids = ops.convert_to_numpy(token_ids)
    np.testing.assert_array_equal(token_ids, np.argsort(-logits, axis=1)[:, :6])
    np.testing.assert_allclose(
        ops.convert_to_numpy(values),
        np.take_along_axis(exact, token_ids, axis=1),
        rtol=1e-5,
        atol=1e-6 * scale,
    )


def test_enough_tokens_are_left_when_the_best_are_suppressed():
    logits = ops.convert_to_tensor([[9.0, 8.0, 3.0, 7.0, 1.0, 2.0]])
    suppressed = ops.convert_to_tensor([0, 1, 3], dtype="int32")
    values, token_ids = next_tokens(logits, 2, suppressed)
    possible = ops.convert_to_numpy(values)[0] > IMPOSSIBLE
    assert ops.convert_to_numpy(token_ids)[0][possible].tolist() == [2, 5]


def test_tokens_of_no_probability_are_no_problem():
    logits = ops.convert_to_tensor([[0.0, -np.inf, -np.inf]])
    values, token_ids = next_tokens(logits, 3)
    assert ops.convert_to_numpy(values)[0].tolist() == [0, -np.inf, -np.inf]
    assert ops.convert_to_numpy(token_ids)[0, 0] == 0
