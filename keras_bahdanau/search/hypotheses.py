"""Hypotheses: beams are expanded, pruned, ranked and returned as a `SearchResult`."""

from typing import Any, NamedTuple

from keras import ops

from keras_bahdanau.backend.indexing import rows_of
from keras_bahdanau.search.next_tokens import IMPOSSIBLE
from keras_bahdanau.search.scoring import UNFINISHED, updated_lengths


class SearchResult(NamedTuple):
    """The hypotheses of each sentence, best first.

    Shapes: `n` is the number of hypotheses returned per sentence (1 after greedy search), `T` the
    largest `max_length` of the batch, `S` the source length of the attention scores.

    Attributes:
        token_ids: int32 tensor of shape `(batch_size, n, T)`: the generated tokens, the end token
            included where it was generated, then `pad_id`.
        lengths: int32 tensor of shape `(batch_size, n)`: the number of generated tokens.
        log_probabilities: float32 tensor of shape `(batch_size, n)`: the sum of the natural
            logarithms of the generated tokens' probabilities, over the whole vocabulary.
        scores: float32 tensor of shape `(batch_size, n)`: what the hypotheses are ranked by,
            `log_probability / length ** length_penalty` with the default options.
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


def expand_beams(
    log_probabilities,
    token_ids,
    hypotheses,
    *,
    position,
    max_lengths,
    constraints,
    scoring,
    coverage_terms=None,
):
    """Returns the expansions of all hypotheses with their scores.

    An active hypothesis is expanded by each of its candidate tokens. A finished one has a single
    expansion, itself, whose log-probability stays the same.

    Args:
        log_probabilities: float32 tensor of shape `(slots, candidates)`, of whole hypotheses.
        token_ids: int32 tensor of the same shape.
        hypotheses: dict, see `run_search`.
        position: int or scalar int tensor.
        max_lengths: int32 tensor of shape `(slots,)`.
        constraints, scoring: see `run_search`.
        coverage_terms: float32 tensor of shape `(slots,)`, what the coverage penalty adds to the
            score of an expansion that is finished; or `None`.

    Returns:
        dict of tensors of shape `(slots, candidates)`: `log_probabilities`, `token_ids`, `scores`
        and, with a coverage penalty, `coverage_terms`.
    """
    lengths = hypotheses["lengths"]
    is_active = (lengths == UNFINISHED)[:, None]
    is_first = ops.arange(log_probabilities.shape[1]) == 0
    itself = ops.where(is_first, hypotheses["log_probabilities"][:, None], IMPOSSIBLE)
    log_probabilities = ops.where(is_active, log_probabilities, itself)
    token_ids = ops.where(is_active, token_ids, constraints.pad_id)
    scores = scoring.length_normalized(
        log_probabilities, ops.minimum(lengths, position + 1)[:, None]
    )
    expansions = {"log_probabilities": log_probabilities, "token_ids": token_ids}
    if coverage_terms is not None:
        is_finished = ops.logical_or(
            token_ids == constraints.end_id, (max_lengths <= position + 1)[:, None]
        )
        terms = ops.where(
            is_active,
            ops.where(is_finished, coverage_terms[:, None], 0.0),
            hypotheses["coverage_terms"][:, None],
        )
        scores = scores + terms
        expansions["coverage_terms"] = terms
    return {**expansions, "scores": scores}


def prune_beams(expansions, hypotheses, *, position, max_lengths, end_id, group_size):
    """Keeps the top `group_size` expansions of every `group_size` slots, by score.

    Active hypotheses are put first in their group.

    Args:
        expansions: dict, see `expand_beams`.
        hypotheses: dict, see `run_search`.
        position: int or scalar int tensor.
        max_lengths: int32 tensor of shape `(slots,)`.
        end_id: int.
        group_size: int, the hypotheses of a sentence that are pruned together.

    Returns:
        `(parents, token_ids, hypotheses)`: two int32 tensors of shape `(slots,)`, the slot that
        each kept expansion comes from and its token; and the new hypotheses, without the
        recorded tokens and attention.
    """
    lengths, scores = hypotheses["lengths"], expansions["scores"]
    candidates = scores.shape[1]
    _, kept = ops.top_k(ops.reshape(scores, (-1, group_size * candidates)), group_size)
    kept = ops.cast(kept, "int32")
    starts = ops.arange(ops.shape(kept)[0], dtype="int32")[:, None] * (group_size * candidates)

    def gather(kept):
        kept = ops.reshape(kept + starts, (-1,))
        parents = kept // candidates
        token_ids = rows_of(ops.reshape(expansions["token_ids"], (-1,)), kept)
        new_lengths = updated_lengths(
            rows_of(lengths, parents), token_ids, position, end_id, max_lengths
        )
        return kept, parents, token_ids, new_lengths

    flat, parents, token_ids, new_lengths = gather(kept)
    if group_size > 1:
        # Active first: their slots then stay the same, and the batch need not be rebuilt.
        rank = ops.arange(group_size, dtype="int32")
        finished_last = ops.reshape(
            ops.where(new_lengths == UNFINISHED, 0, group_size), (-1, group_size)
        )
        kept = ops.take_along_axis(kept, ops.argsort(rank + finished_last, axis=1), axis=1)
        flat, parents, token_ids, new_lengths = gather(kept)
    new = {
        "lengths": new_lengths,
        "log_probabilities": rows_of(ops.reshape(expansions["log_probabilities"], (-1,)), flat),
    }
    if "coverage_terms" in expansions:
        new["coverage_terms"] = rows_of(ops.reshape(expansions["coverage_terms"], (-1,)), flat)
        new["coverage"] = rows_of(hypotheses["coverage"], parents)
    return parents, token_ids, new


def append_tokens(log_probabilities, token_ids, hypotheses, *, position, max_lengths, constraints):
    """Appends one token to each active hypothesis: greedy search and sampling prune nothing.

    Args:
        log_probabilities: float32 tensor of shape `(slots,)`, of whole hypotheses; arbitrary
            where they are finished.
        token_ids: int32 tensor of the same shape.
        hypotheses, position, max_lengths, constraints: see `expand_beams`.

    Returns:
        `(token_ids, hypotheses)`: see `prune_beams`.
    """
    lengths = hypotheses["lengths"]
    is_active = lengths == UNFINISHED
    token_ids = ops.where(is_active, token_ids, constraints.pad_id)
    return token_ids, {
        "lengths": updated_lengths(lengths, token_ids, position, constraints.end_id, max_lengths),
        "log_probabilities": ops.where(
            is_active, log_probabilities, hypotheses["log_probabilities"]
        ),
    }


def ranked_result(hypotheses, scoring, width, n_best, pad_id):
    """Ranks the hypotheses of each sentence and returns the `n_best` best.

    Args:
        hypotheses: dict, see `run_search`; the lengths are the numbers of generated tokens.
        scoring: see `run_search`.
        width, n_best, pad_id: ints.

    Returns:
        A `SearchResult`.
    """
    lengths, log_probabilities = hypotheses["lengths"], hypotheses["log_probabilities"]
    scores = scoring.length_normalized(log_probabilities, ops.maximum(lengths, 1))
    if "coverage_terms" in hypotheses:
        scores = scores + hypotheses["coverage_terms"]
    is_possible = log_probabilities > IMPOSSIBLE / 10
    best = ops.arange(ops.shape(log_probabilities)[0], dtype="int32")[:, None]
    if width > 1:
        ranked = ops.reshape(ops.where(is_possible, scores, IMPOSSIBLE), (-1, width))
        _, best = ops.top_k(ranked, n_best)
        first = ops.arange(ops.shape(ranked)[0], dtype="int32") * width
        best = ops.cast(best, "int32") + first[:, None]
    lengths = rows_of(ops.where(is_possible, lengths, 0), best)
    is_possible = rows_of(is_possible, best)
    num_slots, longest = ops.shape(hypotheses["tokens"])
    positions = ops.arange(longest, dtype="int32")
    is_generated = positions < lengths[:, :, None]
    token_slots = best[:, :, None] + ops.zeros_like(positions)
    if "token_slots" in hypotheses:
        token_slots = rows_of(hypotheses["token_slots"], best)
    token_ids = rows_of(ops.reshape(hypotheses["tokens"], (-1,)), token_slots * longest + positions)
    attention = None
    if "attention" in hypotheses:
        # Attention is recorded in the slot of the parent: the token's slot one position before.
        parents = ops.concatenate([token_slots[:, :, :1], token_slots[:, :, :-1]], axis=-1)
        if "token_slots" in hypotheses:
            first = parents[:, :, :1] // width * width
            parents = ops.concatenate([first, parents[:, :, 1:]], axis=-1)
        source_length = ops.shape(hypotheses["attention"])[2]
        attention = ops.reshape(hypotheses["attention"], (num_slots * longest, source_length))
        attention = rows_of(attention, parents * longest + positions)
        attention = ops.where(is_generated[..., None], attention, 0.0)
    return SearchResult(
        token_ids=ops.where(is_generated, token_ids, pad_id),
        lengths=lengths,
        log_probabilities=ops.where(is_possible, rows_of(log_probabilities, best), -1e9),
        scores=ops.where(is_possible, rows_of(scores, best), -1e9),
        attention_scores=attention,
    )
