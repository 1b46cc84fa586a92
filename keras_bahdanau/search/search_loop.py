"""Decoding loop for beam search, greedy search and sampling, with early stopping."""

from keras import ops, tree

from keras_bahdanau.backend.indexing import rows_of
from keras_bahdanau.search.active_rows import ActiveRows, while_loop
from keras_bahdanau.search.hypotheses import (
    append_tokens,
    expand_beams,
    prune_beams,
    ranked_result,
)
from keras_bahdanau.search.next_tokens import IMPOSSIBLE, best_token
from keras_bahdanau.search.scoring import UNFINISHED


def run_search(
    step,
    initial_states,
    constants,
    *,
    start_id,
    constraints,
    scoring,
    max_lengths,
    longest,
    width=1,
    n_best=1,
    sampler=None,
):
    """Decodes `width` hypotheses per sentence and returns the `n_best` best.

    Each iteration calls `step` for the active hypotheses, takes their top tokens, expands and
    prunes the beams (or appends the token that was drawn or is the most probable), stops
    sentences early and compacts the batch.

    The hypotheses are a dict of tensors with leading dimension `batch_size * width`, the slots:
        lengths: int32 tensor of shape `(slots,)`, `UNFINISHED` while active.
        log_probabilities: float32 tensor of shape `(slots,)`.
        tokens: int32 tensor of shape `(slots, T)`.
        token_slots: with pruning only, int32 tensor of shape `(slots, T)`: back-pointers. Tokens
            and attention are recorded in the slot where they were generated and never moved; this
            is the slot of each token of a hypothesis.
        attention: where `step` returns it, float32 tensor of shape `(slots, T, S)`.
        coverage, coverage_terms: with a coverage penalty, float32 tensors of shapes `(slots, S)`
            and `(slots,)`: attention summed over the tokens, and its term of the score.

    Args:
        step, initial_states, constants, start_id: see `beam_search`.
        constraints: `TokenConstraints`.
        scoring: `Scoring`.
        max_lengths: int32 tensor of shape `(batch_size,)`.
        longest: int or scalar int tensor, an upper bound of `max_lengths`.
        width: int, hypotheses per sentence.
        n_best: int, hypotheses returned per sentence.
        sampler: `Sampler` to draw each token, or `None` for the most probable ones.

    Returns:
        A `SearchResult`.
    """
    # Samples do not compete: each is a group of its own.
    group_size = 1 if sampler else width
    # Without pruning a hypothesis is extended by one token, drawn or most probable. A coverage
    # penalty makes the most probable token not always the best.
    prunes = group_size > 1 or bool(scoring.coverage_penalty)
    batch_size = ops.shape(max_lengths)[0]
    active_rows = ActiveRows(batch_size, width, tree.flatten(constants))
    all_slots = active_rows.all_slots
    max_lengths = ops.repeat(max_lengths, width, axis=0) if width > 1 else max_lengths
    positions = ops.arange(longest, dtype="int32")

    def history(hypotheses, slots):
        """The tokens generated so far, `(rows, T)`."""
        if group_size == 1:
            return rows_of(hypotheses["tokens"], slots)
        places = rows_of(hypotheses["token_slots"], slots) * longest + positions
        return rows_of(ops.reshape(hypotheses["tokens"], (-1,)), places)

    def decode(position, token_ids, active, hypotheses, rows):
        """One iteration: the loop variables after one more token."""
        slots = rows["slots"]
        logits, states, attention = call_step(
            step,
            rows_of(token_ids, slots),
            (initial_states, constants),
            (rows["states"], rows["constants"]),
        )
        count = sampler.num_candidates(logits) if sampler else group_size
        token_log_probabilities, candidates = constraints.next_tokens(
            logits, count, position, slots // width, lambda: history(hypotheses, slots)
        )
        if sampler:
            token_log_probabilities, candidates = sampler.draw(
                token_log_probabilities, candidates, position, slots
            )
        elif not prunes:
            token_log_probabilities, candidates = best_token(token_log_probabilities, candidates)
        log_probabilities = rows_of(hypotheses["log_probabilities"], slots)[:, None]
        log_probabilities = log_probabilities + token_log_probabilities
        coverage_terms = None
        if scoring.coverage_penalty:
            coverage = rows_of(hypotheses["coverage"], slots) + attention
            coverage_terms = active_rows.scatter_to_slots(
                scoring.coverage_term(coverage), rows, 0.0
            )
            coverage = active_rows.scatter_to_slots(coverage, rows, 0.0)
            hypotheses = {**hypotheses, "coverage": coverage}
        if prunes:
            expansions = expand_beams(
                active_rows.scatter_to_slots(log_probabilities, rows, IMPOSSIBLE),
                active_rows.scatter_to_slots(candidates, rows, constraints.pad_id),
                hypotheses,
                position=position,
                max_lengths=max_lengths,
                constraints=constraints,
                scoring=scoring,
                coverage_terms=coverage_terms,
            )
            parents, token_ids, new = prune_beams(
                expansions,
                hypotheses,
                position=position,
                max_lengths=max_lengths,
                end_id=constraints.end_id,
                group_size=group_size,
            )
        else:
            parents = None
            token_ids, new = append_tokens(
                active_rows.gather_to_slots(log_probabilities[:, 0], rows),
                active_rows.gather_to_slots(candidates[:, 0], rows),
                hypotheses,
                position=position,
                max_lengths=max_lengths,
                constraints=constraints,
            )
        if n_best < group_size:
            new = stop_early(new, position, max_lengths, scoring, group_size, n_best)
        active = ops.logical_and(
            new["lengths"] == UNFINISHED, new["log_probabilities"] > IMPOSSIBLE / 10
        )
        here = positions == position
        new["tokens"] = write(hypotheses["tokens"], here, token_ids)
        if group_size > 1:
            token_slots = rows_of(hypotheses["token_slots"], parents)
            new["token_slots"] = write(token_slots, here, all_slots)
        if attention is not None:
            attention = active_rows.scatter_to_slots(attention, rows, 0.0)
            new["attention"] = write(hypotheses.get("attention", 0.0), here, attention)
        rows = active_rows.update(rows, states, parents, active)
        return position + 1, token_ids, active, new, rows

    # The beams of a sentence start identical: all but the first are impossible.
    active = all_slots % group_size == 0
    shape = (active_rows.num_slots, longest)
    hypotheses = {
        "lengths": ops.where(max_lengths < 1, 1, UNFINISHED),
        "log_probabilities": ops.where(active, 0.0, IMPOSSIBLE),
        "tokens": ops.full(shape, constraints.pad_id, dtype="int32"),
    }
    if group_size > 1:
        hypotheses["token_slots"] = ops.zeros(shape, dtype="int32")
    if scoring.coverage_penalty:
        hypotheses["coverage"] = ops.zeros((active_rows.num_slots, 1), dtype="float32")
        hypotheses["coverage_terms"] = ops.zeros((active_rows.num_slots,), dtype="float32")
    token_ids = ops.full((active_rows.num_slots,), start_id, dtype="int32")
    rows = active_rows.initial(tree.flatten(initial_states), one_per_sentence=group_size > 1)
    # The first iteration is outside the loop: it fixes the structure of the loop variables.
    loop_vars = decode(0, token_ids, active, hypotheses, rows)
    *_, hypotheses, _ = while_loop(
        lambda position, token_ids, active, *_: ops.any(active), decode, loop_vars
    )
    lengths = ops.maximum(ops.minimum(hypotheses["lengths"], max_lengths), 0)
    hypotheses = {**hypotheses, "lengths": lengths}
    return ranked_result(hypotheses, scoring, width, n_best, constraints.pad_id)


def call_step(step, token_ids, structures, tensors):
    """Calls `step` on nested structures and checks what it returns.

    Args:
        step: function `(token_ids, states, constants) -> (logits, states, attention_scores)`.
        token_ids: int32 tensor of shape `(rows,)`.
        structures: the nested structures of states and of constants.
        tensors: for each of them a flat list of tensors with leading dimension `rows`.

    Returns:
        `(logits, states, attention_scores)`: a tensor of shape `(rows, vocabulary_size)`, a flat
        list, and a float32 tensor of shape `(rows, S)` or `None`.
    """
    states, constants = map(tree.pack_sequence_as, structures, tensors)
    logits, new_states, attention_scores = step(token_ids, states, constants)
    new_states, given = tree.flatten(new_states), len(tensors[0])
    if len(new_states) != given or len(logits.shape) != 2:
        raise ValueError(
            "The step function must return logits of shape `(rows, vocabulary_size)` and as many "
            f"states as it was given. Received: logits of shape {tuple(logits.shape)} and "
            f"{len(new_states)} states for {given}"
        )
    if attention_scores is not None:
        attention_scores = ops.cast(attention_scores, "float32")
    return logits, new_states, attention_scores


def stop_early(hypotheses, position, max_lengths, scoring, width, n_best):
    """Early stopping: drops active hypotheses where none can still enter the n-best.

    A log-probability only falls and a length cannot exceed `max_length`: the present
    log-probability at that length, without a coverage penalty, is an upper bound of the final
    score.

    Args:
        hypotheses: dict, see `run_search`.
        position: int or scalar int tensor, of the last token.
        max_lengths: int32 tensor of shape `(slots,)`.
        scoring: `Scoring`.
        width, n_best: ints.

    Returns:
        The hypotheses; the dropped ones have the log-probability `IMPOSSIBLE`.
    """
    lengths, log_probabilities = hypotheses["lengths"], hypotheses["log_probabilities"]
    is_active = lengths == UNFINISHED
    scores = scoring.length_normalized(log_probabilities, ops.minimum(lengths, position + 1))
    if "coverage_terms" in hypotheses:
        scores = scores + hypotheses["coverage_terms"]
    finished = ops.reshape(ops.where(is_active, IMPOSSIBLE, scores), (-1, width))
    bounds = scoring.length_normalized(log_probabilities, ops.maximum(max_lengths, 1))
    bounds = ops.reshape(ops.where(is_active, bounds, IMPOSSIBLE), (-1, width))
    worst_kept = ops.top_k(finished, n_best)[0][:, -1]
    can_stop = ops.logical_and(
        worst_kept >= ops.max(bounds, axis=1), worst_kept > IMPOSSIBLE / 1000
    )
    dropped = ops.logical_and(is_active, ops.repeat(can_stop, width))
    return {
        **hypotheses,
        "lengths": ops.where(dropped, position + 1, lengths),
        "log_probabilities": ops.where(dropped, IMPOSSIBLE, log_probabilities),
    }


def write(buffer, here, values):
    """Returns `buffer` with `values` at one position of its second dimension.

    It selects over the whole buffer: an indexed write at a dynamic position does not keep static
    shapes in a graph on every backend.

    Args:
        buffer: tensor of shape `(slots, T, ...)`, or a number to create a buffer from.
        here: bool tensor of shape `(T,)`, True at the position.
        values: tensor of shape `(slots, ...)`.
    """
    here = ops.reshape(here, (-1,) + (1,) * (len(values.shape) - 1))
    return ops.where(here, ops.expand_dims(values, axis=1), buffer)
