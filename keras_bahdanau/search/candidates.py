"""The most probable next tokens, without a pass over the vocabulary more than is needed."""

from keras import ops

from keras_bahdanau.lean_ops import rows_of

# The log-probability of what must not be chosen. Several of them still add up to a finite float32.
IMPOSSIBLE = -1e30


def next_tokens(
    logits, count, suppressed_ids=None, penalties=None, forced_ids=None, normalized=False
):
    """Returns the most probable tokens of each row and their log-probabilities.

    The log-probabilities are those of a softmax over all of `logits`, suppressed tokens included,
    so that suppressing a token never changes what another one is worth.

    Args:
        logits: float tensor of shape `(rows, vocabulary_size)`.
        count: how many tokens to find at least; fewer come back when the vocabulary is smaller.
        suppressed_ids: int32 tensor of shape `(n,)` or `(rows, n)`, or `None`: tokens that must
            not be chosen. Ids outside the vocabulary are ignored.
        penalties: float tensor of the shape of `logits`, `IMPOSSIBLE` where a token must not be
            chosen and else 0; or `None`.
        forced_ids: int32 tensor of shape `(rows,)`, the only token that may be chosen, whatever
            else is said of it, or a negative number; or `None`.
        normalized: whether `logits` are log-probabilities, which are to be taken as they are.

    Returns:
        `(log_probabilities, token_ids)`, float32 and int32 tensors of shape
        `(rows, min(count + n, vocabulary_size))`, the largest logit first. Suppressed tokens have
        the log-probability `IMPOSSIBLE`; the others hold at least the `count` best.

    Raises:
        ValueError: if the whole vocabulary may be suppressed.
    """
    logits = ops.cast(logits, "float32")
    vocabulary_size = logits.shape[-1]
    suppressed_count = 0 if suppressed_ids is None else suppressed_ids.shape[-1]
    if vocabulary_size <= suppressed_count:
        raise ValueError(
            "Argument `suppressed_ids` (with `end_id` where `min_length` is positive) must leave "
            f"at least one token. Received: {suppressed_count} ids for logits of shape "
            f"{tuple(logits.shape)}"
        )
    # As many more as there are suppressed ones, so that `count` are left without a penalty added
    # to every logit.
    allowed = logits if penalties is None else logits + penalties
    values, token_ids = largest(allowed, min(count + suppressed_count, vocabulary_size))
    log_total = 0.0
    if not normalized:
        highest = values[:, :1] if penalties is None else ops.max(logits, axis=-1, keepdims=True)
        log_total = highest + ops.log(ops.sum(ops.exp(logits - highest), axis=-1, keepdims=True))
    log_probabilities = values - log_total
    if penalties is not None:
        log_probabilities = ops.where(values < IMPOSSIBLE / 2, IMPOSSIBLE, log_probabilities)
    if suppressed_count:
        if len(suppressed_ids.shape) == 2:
            suppressed_ids = ops.expand_dims(suppressed_ids, 1)
        suppressed = ops.any(token_ids[:, :, None] == suppressed_ids, axis=-1)
        log_probabilities = ops.where(suppressed, IMPOSSIBLE, log_probabilities)
    if forced_ids is not None:
        is_forced = (forced_ids >= 0)[:, None]
        forced_ids = ops.maximum(forced_ids, 0)[:, None]
        worth = ops.take_along_axis(logits, forced_ids, axis=1) - log_total
        others = ops.full_like(log_probabilities[:, 1:], IMPOSSIBLE)
        only = ops.concatenate([worth, others], axis=1)
        log_probabilities = ops.where(is_forced, only, log_probabilities)
        token_ids = ops.where(is_forced, forced_ids, token_ids)
    return log_probabilities, token_ids


def most_probable(log_probabilities, token_ids):
    """The best of each row's candidates: both arguments with a second dimension of 1."""
    highest = ops.max(log_probabilities, axis=-1, keepdims=True)
    chosen = ops.where(log_probabilities >= highest, token_ids, -1)
    return highest, ops.max(chosen, axis=-1, keepdims=True)


def largest(values, k):
    """Returns the `k` largest values of each row and their columns, the largest first.

    It equals `keras.ops.top_k`, whose time on a processor is that of a heap over the whole row.
    Here a long row is first narrowed to the `k` blocks with the largest maxima, which hold the
    `k` largest values; this is several times faster. The order of equal values is not specified.

    Args:
        values: float tensor of shape `(rows, columns)`.
        k: a number between 1 and `columns`.

    Returns:
        `(largest_values, columns)`, tensors of shape `(rows, k)`, the latter int32.
    """
    columns = values.shape[-1]
    block = _block_size(columns)
    if 2 * k * block > columns:
        top, indices = ops.top_k(values, k)
        return top, ops.cast(indices, "int32")
    blocks = columns // block
    row = ops.arange(ops.shape(values)[0], dtype="int32")[:, None]
    maxima = ops.max(ops.reshape(values, (-1, blocks, block)), axis=-1)
    _, best = ops.top_k(maxima, k)
    best = ops.cast(best, "int32")
    narrowed = rows_of(ops.reshape(values, (-1, block)), best + row * blocks)
    top, indices = ops.top_k(ops.reshape(narrowed, (-1, k * block)), k)
    indices = ops.cast(indices, "int32")
    best = rows_of(ops.reshape(best, (-1,)), indices // block + row * k)
    return top, best * block + indices % block


def _block_size(columns):
    """Returns the largest divisor of `columns` from 16 to 64, or `columns` when there is none."""
    sizes = (size for size in range(64, 15, -1) if columns % size == 0)
    return next(sizes, columns)
