import numpy as np
import pytest

from keras_bahdanau.export.litert.curvature import Curvature
from keras_bahdanau.export.litert.error_feedback import (
    DAMPING_OF_INPUTS,
    DAMPING_OF_OUTPUTS,
    rounded_with_feedback,
)

TOP = 7


def correlated(size, seed):
    random = np.random.default_rng(seed).normal(size=(size, size + 2))
    return random @ random.T


def numbers(outputs, inputs, seed=0):
    matrix = np.random.default_rng(seed).normal(size=(outputs, inputs))
    return matrix / np.abs(matrix).max(axis=1, keepdims=True) * TOP


def damped(factor, share):
    return factor + share * np.diag(factor).mean() * np.eye(len(factor))


def oracle(matrix, curvature):
    """Number by number, what is nearest after a linear solve for all that are left."""
    outputs = np.eye(len(matrix))
    if curvature.outputs is not None:
        outputs = damped(curvature.outputs, DAMPING_OF_OUTPUTS)
    inputs = damped(curvature.inputs, DAMPING_OF_INPUTS)
    cost = np.kron(inputs, outputs)
    of_inputs = np.argsort(-np.diag(curvature.inputs), kind="stable")
    of_outputs = range(len(matrix))
    if curvature.outputs is not None:
        of_outputs = np.argsort(-np.diag(curvature.outputs), kind="stable")
    order = [column * len(matrix) + row for column in of_inputs for row in of_outputs]
    wanted = matrix.T.reshape(-1)
    greatest = np.abs(matrix).argmax(axis=1)
    pinned = {
        column * len(matrix) + row: np.sign(matrix[row, column]) * TOP
        for row, column in enumerate(greatest)
    }
    rounded, done = np.zeros_like(wanted), []
    for place in order:
        left = [other for other in order if other not in done]
        target = wanted[left]
        if done:
            errors = (rounded - wanted)[done]
            target = target - np.linalg.solve(
                cost[np.ix_(left, left)], cost[np.ix_(left, done)] @ errors
            )
        nearest = np.clip(np.rint(target[0]), -TOP, TOP)
        rounded[place] = pinned.get(place, nearest)
        done.append(place)
    return rounded.reshape(matrix.shape[::-1]).T


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("two_sided", [False, True])
def test_every_number_is_the_nearest_when_all_later_ones_may_make_good(seed, two_sided):
    matrix = numbers(4, 5, seed)
    curvature = Curvature(correlated(5, seed + 10), correlated(4, seed + 20) if two_sided else None)
    found = rounded_with_feedback(matrix, TOP, np.ones(4), curvature)
    np.testing.assert_array_equal(found, oracle(matrix, curvature))


def test_scales_say_how_outputs_compare():
    # The same weights in other units are rounded to the same numbers.
    matrix, outputs = numbers(4, 6), correlated(4, 1)
    scales = np.array([0.1, 2.0, 0.7, 5.0])
    in_units = Curvature(correlated(6, 2), outputs / np.outer(scales, scales))
    np.testing.assert_array_equal(
        rounded_with_feedback(matrix, TOP, scales, in_units),
        rounded_with_feedback(matrix, TOP, np.ones(4), in_units._replace(outputs=outputs)),
    )


@pytest.mark.parametrize("outputs", [None, np.diag([3.0, 1.0, 2.0])])
def test_without_correlations_it_is_plain_rounding(outputs):
    matrix = numbers(3, 8)
    curvature = Curvature(np.diag(np.arange(1.0, 9.0)), outputs)
    found = rounded_with_feedback(matrix, TOP, np.ones(3), curvature)
    np.testing.assert_array_equal(found, np.rint(matrix))


def test_a_matrix_without_any_gradient_is_rounded_plainly():
    curvature = Curvature(np.zeros((8, 8)), np.zeros((3, 3)))
    matrix = numbers(3, 8)
    found = rounded_with_feedback(matrix, TOP, np.ones(3), curvature)
    np.testing.assert_array_equal(found, np.rint(matrix))


def test_the_cost_is_a_fraction_of_that_of_plain_rounding():
    ratios = []
    for seed in range(10):
        matrix = numbers(24, 32, seed)
        curvature = Curvature(correlated(32, seed + 30), correlated(24, seed + 50))
        costs = []
        for found in (rounded_with_feedback(matrix, TOP, np.ones(24), curvature), np.rint(matrix)):
            error = found - matrix
            costs.append(np.trace(error @ curvature.inputs @ error.T @ curvature.outputs))
        ratios.append(costs[0] / costs[1])
    assert np.mean(ratios) < 0.5
