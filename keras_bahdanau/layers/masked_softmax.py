"""Masked softmax and hardmax: zero weight on padding, all zero where all is padding."""

from keras import ops

from keras_bahdanau.backend.numerics import float32_at_least


def masked_softmax(scores, mask=None):
    """Softmax over the last axis with zero weight where `mask` is False.

    It is computed in float32 at least: float16 rounds small weights to zero.

    Args:
        scores: float tensor of shape `(..., value_length)`.
        mask: bool tensor that broadcasts to the shape of `scores`, or `None`.

    Returns:
        Tensor of the shape and dtype of `scores`. A row whose mask is False everywhere is zero.
    """
    dtype, scores = scores.dtype, float32_at_least(scores)
    if mask is None:
        return ops.cast(_softmax(scores), dtype)
    # Finite, so that a fully masked row gives numbers (set to zero below) and not NaN.
    weights = _softmax(ops.where(mask, scores, -1e9))
    return ops.cast(ops.where(mask, weights, 0.0), dtype)


def masked_hardmax(scores, mask=None):
    """One where the score is highest (the first of equals) and zero elsewhere.

    Args and returned shape as in `masked_softmax`. It passes no gradient to the scores.
    """
    length = scores.shape[-1] if scores.shape[-1] is not None else ops.shape(scores)[-1]
    if mask is not None:
        scores = ops.where(mask, scores, float("-inf"))
    weights = ops.one_hot(ops.argmax(scores, axis=-1), length, dtype=scores.dtype)
    return weights if mask is None else ops.where(mask, weights, 0.0)


def _softmax(scores):
    if scores.shape[-1] == 1:
        # `ops.softmax` warns of an axis of length 1, which a memory of one position has.
        return ops.exp(ops.log_softmax(scores, axis=-1))
    return ops.softmax(scores, axis=-1)
