"""Which tokens a hypothesis may be continued by."""

from dataclasses import dataclass
from typing import Any

from keras import ops

from keras_bahdanau.lean_ops import rows_of
from keras_bahdanau.search.candidates import IMPOSSIBLE, next_tokens
from keras_bahdanau.search.limits import check_at_least


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
