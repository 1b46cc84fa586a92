"""Token constraints and top-k: suppression, n-gram blocking, forced prefix."""

from dataclasses import dataclass
from typing import Any

from keras import ops

from keras_bahdanau.backend.indexing import rows_of
from keras_bahdanau.search.scoring import check_at_least


@dataclass(frozen=True)
class Rules:
    """Suppressed tokens, a least length, no repeated n-grams, and a given beginning.

    Args:
        end_id: int.
        pad_id: int.
        min_length: the least number of tokens before the end token: int, or int tensor of shape
            `(batch_size,)`.
        suppressed_ids: sequence of ints, tokens that are never generated.
        no_repeat_ngram_size: int, the n of the n-grams that occur once only; 0 for any.
        prefix_ids: int tensor of shape `(batch_size, P)`, padded with `pad_id`: the tokens that
            each sentence begins with; or `None`.
        normalized: whether logits are log-probabilities, which are to be taken as they are.
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
                f"Argument `suppressed_ids` must hold token ids from 0 on. Received: {ids}"
            )
        object.__setattr__(self, "suppressed_ids", tuple(ids))

    def candidates(self, logits, count, position, sentences, history):
        """The most probable tokens that are allowed: see `next_tokens`.

        Args:
            logits: tensor of shape `(rows, vocabulary_size)`.
            count: int.
            position: int or scalar int tensor: how many tokens were generated before.
            sentences: int32 tensor of shape `(rows,)`, the sentence of each row.
            history: function without arguments that returns the tokens generated before, int32
                tensor of shape `(rows, T)`.
        """
        penalties = None
        if self.no_repeat_ngram_size:
            penalties = _repeated(history(), position, self.no_repeat_ngram_size, logits)
        return next_tokens(
            logits,
            count,
            suppressed_ids=self._suppressed(position, sentences),
            penalties=penalties,
            forced_ids=self._forced(position, sentences),
            normalized=self.normalized,
        )

    def _suppressed(self, position, sentences):
        ids = list(self.suppressed_ids)
        is_number = isinstance(self.min_length, int)
        if self.end_id in ids or (is_number and not self.min_length):
            return ops.convert_to_tensor(ids, dtype="int32") if ids else None
        # -1 is no token: the vector keeps its length.
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

    def _forced(self, position, sentences):
        if self.prefix_ids is None:
            return None
        prefix = ops.cast(ops.convert_to_tensor(self.prefix_ids), "int32")
        width = ops.shape(prefix)[1]
        column = ops.take(prefix, ops.minimum(position, width - 1), axis=1)
        is_given = ops.logical_and(column != self.pad_id, position < width)
        return rows_of(ops.where(is_given, column, -1), sentences)


def _repeated(history, position, size, logits):
    """`IMPOSSIBLE` for each token that would end an n-gram for the second time, else 0."""
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
