"""Rounding with error feedback (GPTQ, YAQA): later weights compensate for earlier errors."""

import numpy as np

# Damping: added to the diagonal of a curvature factor, in multiples of its mean, because the
# factor is estimated from few samples.
INPUT_DAMPING, OUTPUT_DAMPING = 0.01, 0.1


def round_with_feedback(weights, top, scales, curvature):
    """Rounds a matrix to integers so that the model's output distribution changes least.

    An error E, in units of weights, costs trace(E I E' O), where I and O are the two factors of
    the curvature. The matrix is rounded column by column, and after each the columns to come are
    adjusted so that the cost is least; within a column the same is done row by row, where the
    factor of the outputs is known. Columns and rows of the largest curvature come first, because
    the most others are left to compensate for them.

    Args:
        weights: float64 array of shape `(outputs, inputs)`, in units of `scales`.
        top: integers are from `-top` to `top`; the largest weight of each row becomes one of
            these two.
        scales: float64 array of shape `(outputs,)`.
        curvature: a `Curvature`.

    Returns: float64 array of the same shape, of integers.

    Reference: Frantar et al. 2023 (GPTQ), https://arxiv.org/abs/2210.17323 (columns, in closed
    form); Tseng et al. 2025 (YAQA), https://arxiv.org/abs/2505.22988 (both sides, curvature of the
    whole model's output).
    """
    columns, column_feedback = _order_and_feedback(curvature.inputs, INPUT_DAMPING)
    rows, row_feedback = np.arange(len(weights)), None
    if curvature.outputs is not None:
        # In units of the scales, as the weights are.
        scaled = curvature.outputs * scales[:, np.newaxis] * scales
        rows, row_feedback = _order_and_feedback(scaled, OUTPUT_DAMPING)
    order = np.ix_(rows, columns)
    adjusted, largest = weights[order], np.abs(weights[order]).argmax(axis=1)
    ends = top * np.sign(adjusted[np.arange(len(adjusted)), largest])
    rounded = np.empty_like(adjusted)
    for column in range(adjusted.shape[1]):
        fixed = np.where(largest == column, ends, 0.0)
        rounded[:, column] = _round_column(adjusted[:, column], top, fixed, row_feedback)
        error = adjusted[:, column] - rounded[:, column]
        adjusted[:, column + 1 :] -= np.outer(error, column_feedback[column, column + 1 :])
    result = np.empty_like(rounded)
    result[order] = rounded
    return result


def _round_column(column, top, fixed, row_feedback):
    """Rounds a column; where `fixed` is not zero, it is the result."""
    if row_feedback is None:
        return np.where(fixed, fixed, np.clip(np.rint(column), -top, top))
    adjusted, rounded = column.copy(), np.empty_like(column)
    for row, end in enumerate(fixed):
        rounded[row] = end or min(max(round(adjusted[row]), -top), top)
        adjusted[row + 1 :] -= (adjusted[row] - rounded[row]) * row_feedback[row, row + 1 :]
    return rounded


def _order_and_feedback(factor, damping):
    """The order of rounding, and the share of each error by which each later weight is adjusted.

    The shares are the rows of the Cholesky factor of the inverse curvature, divided by its
    diagonal.
    """
    diagonal = np.diag(factor)
    order = np.argsort(-diagonal, kind="stable")
    added = damping * diagonal.mean() or 1.0
    damped = factor[np.ix_(order, order)] + added * np.eye(len(order))
    upper = np.linalg.cholesky(np.linalg.inv(damped)).T
    return order, upper / np.diag(upper)[:, np.newaxis]
