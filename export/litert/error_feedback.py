"""Rounding of a matrix in which each error is made good by the weights that are still to come."""

import numpy as np

# Added to a curvature's diagonal, in shares of its mean: what was estimated from few samples is
# not to be trusted in every direction.
DAMPING_OF_INPUTS, DAMPING_OF_OUTPUTS = 0.01, 0.1


def rounded_with_feedback(numbers, top, scales, curvature):
    """Whole numbers near a matrix, chosen so that what they do to the curvature's cost is little.

    With an error of E, in units of weights, the cost is trace(E I E' O), where I and O are the
    curvature's two factors. Column by column, the matrix is rounded, and the columns to come take
    up what minimises the cost then; inside of a column the same is done number by number, where
    the curvature says how outputs depend on each other. Columns and numbers that matter most come
    first, because they have the most others to make their errors good.

    Args:
        numbers: float64 array of shape `(outputs, inputs)`, weights in units of their scales.
        top: whole numbers are between `-top` and `top`; the greatest of each row becomes one of
            the two.
        scales: float64 array of shape `(outputs,)`.
        curvature: a `Curvature`.

    Returns: float64 array of the same shape.

    Reference: Frantar et al. 2023, https://arxiv.org/abs/2210.17323 (columns, in closed form);
    Tseng et al. 2025, https://arxiv.org/abs/2505.22988 (both sides, and the curvature of the whole
    model's answers).
    """
    inputs, among_inputs = _order_and_shares(curvature.inputs, DAMPING_OF_INPUTS)
    outputs, among_outputs = np.arange(len(numbers)), None
    if curvature.outputs is not None:
        # In units of the scales, as the numbers are.
        of_numbers = curvature.outputs * scales[:, np.newaxis] * scales
        outputs, among_outputs = _order_and_shares(of_numbers, DAMPING_OF_OUTPUTS)
    order = np.ix_(outputs, inputs)
    left, greatest = numbers[order], np.abs(numbers[order]).argmax(axis=1)
    ends = top * np.sign(left[np.arange(len(left)), greatest])
    rounded = np.empty_like(left)
    for column in range(left.shape[1]):
        fixed = np.where(greatest == column, ends, 0.0)
        rounded[:, column] = _rounded_column(left[:, column], top, fixed, among_outputs)
        error = left[:, column] - rounded[:, column]
        left[:, column + 1 :] -= np.outer(error, among_inputs[column, column + 1 :])
    result = np.empty_like(rounded)
    result[order] = rounded
    return result


def _rounded_column(column, top, fixed, among_outputs):
    if among_outputs is None:
        return np.where(fixed, fixed, np.clip(np.rint(column), -top, top))
    left, rounded = column.copy(), np.empty_like(column)
    for row, end in enumerate(fixed):
        rounded[row] = end or min(max(round(left[row]), -top), top)
        left[row + 1 :] -= (left[row] - rounded[row]) * among_outputs[row, row + 1 :]
    return rounded


def _order_and_shares(curvature, damping):
    """The order of rounding, and which share of an error each later one takes up."""
    diagonal = np.diag(curvature)
    order = np.argsort(-diagonal, kind="stable")
    added = damping * diagonal.mean() or 1.0
    damped = curvature[np.ix_(order, order)] + added * np.eye(len(order))
    upper = np.linalg.cholesky(np.linalg.inv(damped)).T
    return order, upper / np.diag(upper)[:, np.newaxis]
