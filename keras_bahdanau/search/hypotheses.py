"""Hypotheses: how beams are expanded and pruned, ranked, and returned as a result."""

from typing import Any, NamedTuple

from keras import ops

from keras_bahdanau.backend.indexing import rows_of
from keras_bahdanau.search.next_tokens import IMPOSSIBLE
from keras_bahdanau.search.scoring import UNFINISHED, lengths_after


class SearchResult(NamedTuple):
    """The hypotheses of each sentence, best first.

    Shapes: `n` is the number of hypotheses kept for each sentence (1 after greedy search), `T` is
    the largest `max_length` of the batch, `S` is the source length that `step` attended to.

    Attributes:
        token_ids: int32 tensor of shape `(batch_size, n, T)`: the generated tokens, the end token
            included where it was generated, then `pad_id`.
        lengths: int32 tensor of shape `(batch_size, n)`: the number of generated tokens.
        log_probabilities: float32 tensor of shape `(batch_size, n)`: the sum of the natural
            logarithms of the generated tokens' probabilities, over the whole vocabulary.
        scores: float32 tensor of shape `(batch_size, n)`: what the hypotheses are ordered by,
            `log_probability / length ** length_penalty` unless asked otherwise.
        attention_scores: float32 tensor of shape `(batch_size, n, T, S)`: the attention weights
            with which each token was generated, zeros after the last one; or `None` when `step`
            returns none.

    A sentence with fewer than `n` possible hypotheses (a tiny vocabulary, a small `max_length`)
    has empty ones at the end: only padding, length 0, log-probability and score -1e9.
    """

    token_ids: Any
    lengths: Any
    log_probabilities: Any
    scores: Any
    attention_scores: Any = None


def best_continuations(
    totals, token_ids, hypotheses, *, position, limits, rules, scoring, ending, rivals
):
    """Keeps as many continuations as there are hypotheses, the best of every `rivals` slots.

    A hypothesis that has ended has one continuation, itself. Those that still grow come first.

    Args:
        totals: float32 tensor of shape `(slots, continuations)`: log-probabilities.
        token_ids: int32 tensor of the same shape.
        hypotheses: dict: see `grow`.
        position: int or scalar int tensor.
        limits: int32 tensor of shape `(slots,)`.
        rules, scoring: see `grow`.
        ending: float32 tensor of shape `(slots,)`, the penalty of a continuation that ends, or
            `None`.
        rivals: int.

    Returns:
        `(parents, token_ids, hypotheses)`: two int32 tensors of shape `(slots,)`, and what the
        hypotheses become, without records.
    """
    lengths, count = hypotheses["lengths"], totals.shape[1]
    grows = (lengths == UNFINISHED)[:, None]
    is_first = ops.arange(count) == 0
    itself = ops.where(is_first, hypotheses["totals"][:, None], IMPOSSIBLE)
    totals = ops.where(grows, totals, itself)
    token_ids = ops.where(grows, token_ids, rules.pad_id)
    scores = scoring.normalised(totals, ops.minimum(lengths, position + 1)[:, None])
    if ending is not None:
        ends = ops.logical_or(token_ids == rules.end_id, (limits <= position + 1)[:, None])
        penalties = ops.where(
            grows, ops.where(ends, ending[:, None], 0.0), hypotheses["penalties"][:, None]
        )
        scores = scores + penalties
    _, chosen = ops.top_k(ops.reshape(scores, (-1, rivals * count)), rivals)
    chosen = ops.cast(chosen, "int32")
    starts = ops.arange(ops.shape(chosen)[0], dtype="int32")[:, None] * (rivals * count)

    def follow(chosen):
        chosen = ops.reshape(chosen + starts, (-1,))
        parents = chosen // count
        tokens = rows_of(ops.reshape(token_ids, (-1,)), chosen)
        ended = lengths_after(rows_of(lengths, parents), tokens, position, rules.end_id, limits)
        return chosen, parents, tokens, ended

    flat, parents, tokens, ended = follow(chosen)
    if rivals > 1:
        # So that the slots that are computed stay the same ones.
        rank = ops.arange(rivals, dtype="int32")
        late = ops.reshape(ops.where(ended == UNFINISHED, 0, rivals), (-1, rivals))
        chosen = ops.take_along_axis(chosen, ops.argsort(rank + late, axis=1), axis=1)
        flat, parents, tokens, ended = follow(chosen)
    new = {"lengths": ended, "totals": rows_of(ops.reshape(totals, (-1,)), flat)}
    if ending is not None:
        new["penalties"] = rows_of(ops.reshape(penalties, (-1,)), flat)
        new["coverage"] = rows_of(hypotheses["coverage"], parents)
    return parents, tokens, new


def own_continuations(totals, token_ids, hypotheses, *, position, limits, rules):
    """Continues each hypothesis that still grows by its own token.

    Args:
        totals: float32 tensor of shape `(slots,)`: log-probabilities. What it holds for
            hypotheses that have ended does not matter.
        token_ids: int32 tensor of the same shape.
        hypotheses, position, limits, rules: see `best_continuations`.

    Returns:
        `(token_ids, hypotheses)`: see `best_continuations`.
    """
    lengths = hypotheses["lengths"]
    grows = lengths == UNFINISHED
    token_ids = ops.where(grows, token_ids, rules.pad_id)
    return token_ids, {
        "lengths": lengths_after(lengths, token_ids, position, rules.end_id, limits),
        "totals": ops.where(grows, totals, hypotheses["totals"]),
    }


def ranked_result(hypotheses, scoring, width, n_best, pad_id):
    """The best hypotheses of each sentence.

    Args:
        hypotheses: dict: see `grow`. Lengths are those of what was generated.
        scoring: see `grow`.
        width, n_best, pad_id: ints.

    Returns:
        A `SearchResult`.
    """
    lengths, totals = hypotheses["lengths"], hypotheses["totals"]
    scores = scoring.normalised(totals, ops.maximum(lengths, 1))
    if "penalties" in hypotheses:
        scores = scores + hypotheses["penalties"]
    is_possible = totals > IMPOSSIBLE / 10
    best = ops.arange(ops.shape(totals)[0], dtype="int32")[:, None]
    if width > 1:
        ranked = ops.reshape(ops.where(is_possible, scores, IMPOSSIBLE), (-1, width))
        _, best = ops.top_k(ranked, n_best)
        first = ops.arange(ops.shape(ranked)[0], dtype="int32") * width
        best = ops.cast(best, "int32") + first[:, None]
    lengths = rows_of(ops.where(is_possible, lengths, 0), best)
    is_possible = rows_of(is_possible, best)
    slots, longest = ops.shape(hypotheses["tokens"])
    positions = ops.arange(longest, dtype="int32")
    is_generated = positions < lengths[:, :, None]
    path = best[:, :, None] + ops.zeros_like(positions)
    if "path" in hypotheses:
        path = rows_of(hypotheses["path"], best)
    token_ids = rows_of(ops.reshape(hypotheses["tokens"], (-1,)), path * longest + positions)
    attention = None
    if "attention" in hypotheses:
        # A token was generated by the slot that its hypothesis stood in one position before.
        before = ops.concatenate([path[:, :, :1], path[:, :, :-1]], axis=-1)
        if "path" in hypotheses:
            first = before[:, :, :1] // width * width
            before = ops.concatenate([first, before[:, :, 1:]], axis=-1)
        sources = ops.shape(hypotheses["attention"])[2]
        attention = ops.reshape(hypotheses["attention"], (slots * longest, sources))
        attention = rows_of(attention, before * longest + positions)
        attention = ops.where(is_generated[..., None], attention, 0.0)
    return SearchResult(
        token_ids=ops.where(is_generated, token_ids, pad_id),
        lengths=lengths,
        log_probabilities=ops.where(is_possible, rows_of(totals, best), -1e9),
        scores=ops.where(is_possible, rows_of(scores, best), -1e9),
        attention_scores=attention,
    )
