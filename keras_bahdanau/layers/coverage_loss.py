"""The coverage loss of See, Liu and Manning (2017)."""

from keras import backend, ops

from keras_bahdanau.layers.arguments import check_mask


def coverage_loss(attention_scores, query_mask=None):
    """How much each step attends to what the steps before have attended to.

        c_tj = sum_{t' < t} a_t'j             coverage    (the paper's equation 10)
        covloss_t = sum_j min(a_tj, c_tj)     loss        (its equation 12)

    It is 0 in the first step and never more than 1. The paper adds it to the loss of every step,
    with a weight of 1. The coverage here is the plain sum of the weights, also for a
    `CoverageAttention` with `fertility`.

    Args:
        attention_scores: tensor of shape `(batch_size, query_length, value_length)`: the weights
            a_tj of all steps, from the first one on.
        query_mask: bool tensor of shape `(batch_size, query_length)`, or `None`. Where it is
            False, the loss is 0 and the weights add nothing to the coverage.

    Returns:
        Tensor of shape `(batch_size, query_length)`, float32 where the weights are of half
        precision.

    Raises:
        ValueError: `attention_scores` without its three dimensions, or a mask that does not fit.

    Example:

    >>> attention = BahdanauAttention(units=64)
    >>> queries, memory = keras.random.normal((8, 10, 32)), keras.random.normal((8, 20, 32))
    >>> _, weights = attention(queries, memory, return_attention_scores=True)
    >>> coverage_loss(weights).shape
    (8, 10)

    Reference: See, Liu, Manning, "Get To The Point: Summarization with Pointer-Generator
    Networks", ACL 2017, https://arxiv.org/abs/1704.04368
    """
    weights = ops.convert_to_tensor(attention_scores)
    if len(weights.shape) != 3:
        raise ValueError(
            "Expected `attention_scores` of shape (batch_size, query_length, value_length). "
            f"Received: attention_scores.shape={tuple(weights.shape)}"
        )
    check_mask("query_mask", query_mask, weights.shape[:2])
    weights = ops.cast(weights, backend.result_type(weights.dtype, "float32"))
    if query_mask is not None:
        weights = ops.where(ops.expand_dims(query_mask, -1), weights, 0.0)
    before = ops.concatenate([ops.zeros_like(weights[:, :1]), weights[:, :-1]], axis=1)
    return ops.sum(ops.minimum(weights, ops.cumsum(before, axis=1)), axis=-1)
