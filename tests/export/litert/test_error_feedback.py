import numpy as np
import pytest

from keras_bahdanau.export.litert.calibration import Curvature
from keras_bahdanau.export.litert.error_feedback import (
    INPUT_DAMPING,
    OUTPUT_DAMPING,
    round_with_feedback,
)

TOP = 7


def correlated(size, seed):
    random = np.random.default_rng(seed).normal(size=(size, size + 2))
    return random @ random.T


def random_weights(outputs, inputs, seed=0):
    matrix = np.random.default_rng(seed).normal(size=(outputs, inputs))
    return matrix / np.abs(matrix).max(axis=1, keepdims=True) * TOP


def damped(factor, share):
    return factor + share * np.diag(factor).mean() * np.eye(len(factor))


def oracle(matrix, curvature):
    """Weight by weight: nearest integer, after a linear solve for all that are left."""
    outputs = np.eye(len(matrix))
    if curvature.outputs is not None:
        outputs = damped(curvature.outputs, OUTPUT_DAMPING)
    inputs = damped(curvature.inputs, INPUT_DAMPING)
    cost = np.kron(inputs, outputs)
    of_inputs = np.argsort(-np.diag(curvature.inputs), kind="stable")
    of_outputs = range(len(matrix))
    if curvature.outputs is not None:
        of_outputs = np.argsort(-np.diag(curvature.outputs), kind="stable")
    order = [column * len(matrix) + row for column in of_inputs for row in of_outputs]
    wanted = matrix.T.reshape(-1)
    largest = np.abs(matrix).argmax(axis=1)
    pinned = {
        column * len(matrix) + row: np.sign(matrix[row, column]) * TOP
        for row, column in enumerate(largest)
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
def test_every_weight_is_rounded_to_the_nearest_after_the_best_compensation(seed, two_sided):
    matrix = random_weights(4, 5, seed)
    curvature = Curvature(correlated(5, seed + 10), correlated(4, seed + 20) if two_sided else None)
    found = round_with_feedback(matrix, TOP, np.ones(4), curvature)
    np.testing.assert_array_equal(found, oracle(matrix, curvature))


def test_scales_say_how_outputs_compare():
    # The same weights in other units are rounded to the same numbers.
    matrix, outputs = random_weights(4, 6), correlated(4, 1)
    scales = np.array([0.1, 2.0, 0.7, 5.0])
    in_units = Curvature(correlated(6, 2), outputs / np.outer(scales, scales))
    np.testing.assert_array_equal(
        round_with_feedback(matrix, TOP, scales, in_units),
        round_with_feedback(matrix, TOP, np.ones(4), in_units._replace(outputs=outputs)),
    )


@pytest.mark.parametrize("outputs", [None, np.diag([3.0, 1.0, 2.0])])
def test_without_correlations_it_is_plain_rounding(outputs):
    matrix = random_weights(3, 8)
    curvature = Curvature(np.diag(np.arange(1.0, 9.0)), outputs)
    found = round_with_feedback(matrix, TOP, np.ones(3), curvature)
    np.testing.assert_array_equal(found, np.rint(matrix))


def test_a_matrix_without_any_gradient_is_rounded_plainly():
    curvature = Curvature(np.zeros((8, 8)), np.zeros((3, 3)))
    matrix = random_weights(3, 8)
    found = round_with_feedback(matrix, TOP, np.ones(3), curvature)
    np.testing.assert_array_equal(found, np.rint(matrix))


def test_the_cost_is_a_fraction_of_that_of_plain_rounding():
    ratios = []
    for seed in range(10):
        matrix = random_weights(24, 32, seed)
        curvature = Curvature(correlated(32, seed + 30), correlated(24, seed + 50))
        costs = []
        for found in (round_with_feedback(matrix, TOP, np.ones(24), curvature), np.rint(matrix)):
            error = found - matrix
            costs.append(np.trace(error @ curvature.inputs @ error.T @ curvature.outputs))
        ratios.append(costs[0] / costs[1])
    assert np.mean(ratios) < 0.5
