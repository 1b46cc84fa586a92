"""The weights of monotonic chunkwise attention (MoChA)."""

from keras import ops

from keras_bahdanau.layers.masked_softmax import masked_softmax


def chunkwise_weights(alignment, scores, chunk_size, mask=None):
    """Spreads monotonic weights, each over the chunk of positions that it ends.

        beta_ij = sum_{k=j}^{j+w-1} alpha_ik exp(u_ij) / sum_{l=k-w+1}^{k} exp(u_il)

    with alpha = `alignment`, u = `scores` and w = `chunk_size` (Chiu and Raffel 2018,
    https://arxiv.org/abs/1712.05382, section 2.3). Where alpha is a choice, one at position t and
    zero elsewhere, this is the softmax over the chunk that ends at t: training and decoding are
    the same formula.

    The paper gets the sums over l and k with moving sums of exp(u). These lose a chunk whose
    scores are far below the highest, so each chunk's softmax is taken by itself here, for which
    a tensor of shape `(batch_size, value_length, chunk_size)` is made.

    Args:
        alignment: tensor of shape `(batch_size, value_length)`, zero where `mask` is False.
        scores: tensor of shape `(batch_size, value_length)`.
        chunk_size: positive integer.
        mask: bool tensor of shape `(batch_size, value_length)`, or `None`. Chunks keep their size,
            and positions where it is False get nothing of them.

    Returns:
        Tensor of the shape and dtype of `scores`. Each row has the sum of the row of `alignment`.
    """
    length = ops.shape(scores)[1]
    positions = ops.expand_dims(ops.arange(length), 1)
    offsets = ops.expand_dims(ops.arange(chunk_size), 0)

    members = positions - offsets
    kept = ops.expand_dims(members >= 0, 0)
    members = ops.maximum(members, 0)
    if mask is not None:
        kept = ops.logical_and(kept, ops.take(mask, members, axis=1))
    within = masked_softmax(ops.take(scores, members, axis=1), kept)
    shares = ops.expand_dims(ops.cast(alignment, scores.dtype), 2) * within

    # Position j is member o of the chunk that ends at j + o.
    ends = positions + offsets
    shares = ops.reshape(shares, (-1, length * chunk_size))
    sources = ops.minimum(ends, length - 1) * chunk_size + offsets
    return ops.sum(ops.where(ends < length, ops.take(shares, sources, axis=1), 0.0), axis=2)
