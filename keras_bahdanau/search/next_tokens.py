"""Token constraints and top-k: suppression, n-gram blocking, forced prefix."""

from dataclasses import dataclass
from typing import Any

from keras import ops

from keras_bahdanau.backend.indexing import rows_of
from keras_bahdanau.search.scoring import check_at_least

# The log-probability of a token that must not be chosen. Sums of a few stay finite in float32.
IMPOSSIBLE = -1e30


@dataclass(frozen=True)
class TokenConstraints:
    """Suppressed tokens, least length, n-gram blocking and forced prefix.

    Args:
        end_id, pad_id, min_length, suppressed_ids, no_repeat_ngram_size, prefix_ids, normalized:
            see `beam_search`.
    """

    end_id: int
    pad_id: int
    min_length: Any = 0
    suppressed_ids: tuple = ()
    no_repeat_ngram_size: int = 0
    prefix_ids: Any = None
    normalized: bool = False

    def __post_init__(self):
        check_at_least("no_repeat_ngram_size", self.no_repeat_ngram_size, 0)
        if isinstance(self.min_length, (int, float)):
            check_at_least("min_length", self.min_length, 0)
        ids = sorted({int(token_id) for token_id in self.suppressed_ids})
        if ids and ids[0] < 0:
            raise ValueError(
                f"Argument `suppressed_ids` must hold token ids of at least 0. Received: {ids}"
            )
        object.__setattr__(self, "suppressed_ids", tuple(ids))

    def next_tokens(self, logits, count, position, sentences, history):
        """Returns the top tokens that the constraints allow: see `top_tokens`.

        Args:
            logits: tensor of shape `(rows, vocabulary_size)`.
            count: int, how many tokens of each row are needed.
            position: int or scalar int tensor: how many tokens were generated so far.
            sentences: int32 tensor of shape `(rows,)`, the sentence of each row.
            history: function without arguments that returns the tokens generated so far, int32
                tensor of shape `(rows, T)`.
        """
        penalties = None
        if self.no_repeat_ngram_size:
            penalties = _repeated_ngrams(history(), position, self.no_repeat_ngram_size, logits)
        return top_tokens(
            logits,
            count,
            suppressed_ids=self._suppressed_ids(position, sentences),
            penalties=penalties,
            forced_ids=self._forced_ids(position, sentences),
            normalized=self.normalized,
        )

    def _suppressed_ids(self, position, sentences):
        ids = list(self.suppressed_ids)
        is_number = isinstance(self.min_length, int)
        if self.end_id in ids or (is_number and not self.min_length):
            return ops.convert_to_tensor(ids, dtype="int32") if ids else None
        # -1 is outside the vocabulary: it keeps the number of ids the same at every position.
        if is_number:
            early = ops.convert_to_tensor([*ids, self.end_id], dtype="int32")
            late = ops.convert_to_tensor([*ids, -1], dtype="int32")
            return ops.where(position < self.min_length, early, late)
        is_early = position < rows_of(ops.cast(self.min_length, "int32"), sentences)
        ends = ops.where(is_early, self.end_id, -1)[:, None]
        if not ids:
            return ends
        ids = ops.convert_to_tensor([ids], dtype="int32")
        return ops.concatenate([ops.repeat(ids, ops.shape(ends)[0], axis=0), ends], axis=1)

    def _forced_ids(self, position, sentences):
        if self.prefix_ids is None:
            return None
        prefix = ops.cast(ops.convert_to_tensor(self.prefix_ids), "int32")
        width = ops.shape(prefix)[1]
        column = ops.take(prefix, ops.minimum(position, width - 1), axis=1)
        is_given = ops.logical_and(column != self.pad_id, position < width)
        return rows_of(ops.where(is_given, column, -1), sentences)


def top_tokens(
    logits, count, suppressed_ids=None, penalties=None, forced_ids=None, normalized=False
):
    """Returns the top-k tokens of each row and their log-probabilities.

    The softmax is over the whole vocabulary, suppressed tokens included: suppressing a token does
    not change the log-probability of another.

    Args:
        logits: float tensor of shape `(rows, vocabulary_size)`.
        count: int k, how many allowed tokens to return at least; the vocabulary may be smaller.
        suppressed_ids: int32 tensor of shape `(n,)` or `(rows, n)`, or `None`: tokens that must
            not be chosen. Ids outside the vocabulary are ignored.
        penalties: float tensor of the shape of `logits`, `IMPOSSIBLE` where a token must not be
            chosen and else 0; or `None`.
        forced_ids: int32 tensor of shape `(rows,)`, the only token that may be chosen, even if it
            is suppressed, or a negative number for no such token; or `None`.
        normalized: whether `logits` are log-probabilities already.

    Returns:
        `(log_probabilities, token_ids)`, float32 and int32 tensors of shape
        `(rows, min(count + n, vocabulary_size))`, the largest logit first. Suppressed tokens have
        the log-probability `IMPOSSIBLE`; the others include the `count` best.

    Raises:
        ValueError: the whole vocabulary may be suppressed.
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
    # `suppressed_count` more than needed: cheaper than to mask the whole vocabulary.
    allowed = logits if penalties is None else logits + penalties
    values, token_ids = top_k(allowed, min(count + suppressed_count, vocabulary_size))
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
        forced = ops.take_along_axis(logits, forced_ids, axis=1) - log_total
        others = ops.full_like(log_probabilities[:, 1:], IMPOSSIBLE)
        forced = ops.concatenate([forced, others], axis=1)
        log_probabilities = ops.where(is_forced, forced, log_probabilities)
        token_ids = ops.where(is_forced, forced_ids, token_ids)
    return log_probabilities, token_ids


def best_token(log_probabilities, token_ids):
    """Returns the most probable candidate of each row, both tensors of shape `(rows, 1)`."""
    highest = ops.max(log_probabilities, axis=-1, keepdims=True)
    chosen = ops.where(log_probabilities >= highest, token_ids, -1)
    return highest, ops.max(chosen, axis=-1, keepdims=True)


def top_k(values, k):
    """Top-k in two stages: `keras.ops.top_k`, several times faster on a CPU for long rows.

    A long row is first narrowed to the `k` blocks with the largest maxima, which contain its `k`
    largest values. The order of equal values is not specified.

    Args:
        values: float tensor of shape `(rows, columns)`.
        k: int from 1 to `columns`.

    Returns:
        `(values, indices)`, tensors of shape `(rows, k)`, the latter int32, largest first.
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


def _repeated_ngrams(history, position, size, logits):
    """N-gram blocking: `IMPOSSIBLE` for tokens that would repeat an n-gram of `size`, else 0.

    Args:
        history: int32 tensor of shape `(rows, T)`, the tokens generated so far.
        position: int or scalar int tensor, their number.
        size: int.
        logits: tensor of shape `(rows, vocabulary_size)`.

    Returns:
        float32 tensor of shape `(rows, vocabulary_size)`.
    """
    rows, longest = ops.shape(history)
    starts = ops.arange(longest, dtype="int32")

    def at(offset):
        """Each row's token `offset` places after each start."""
        return ops.take(history, ops.minimum(starts + offset, longest - 1), axis=1)

    repeated = starts + size - 1 < position
    for offset in range(size - 1):
        last = ops.take(history, ops.maximum(position - size + 1 + offset, 0), axis=1)
        repeated = ops.logical_and(repeated, at(offset) == last[:, None])
    ends = ops.where(repeated, at(size - 1), 0)
    vocabulary_size = logits.shape[-1]
    places = ops.arange(rows, dtype="int32")[:, None] * vocabulary_size + ends
    found = ops.where(ops.broadcast_to(repeated, ops.shape(ends)), IMPOSSIBLE, 0.0)
    penalties = ops.scatter(
        ops.reshape(places, (-1, 1)), ops.reshape(found, (-1,)), (rows * vocabulary_size,)
    )
    return ops.maximum(ops.reshape(penalties, (rows, vocabulary_size)), IMPOSSIBLE)
