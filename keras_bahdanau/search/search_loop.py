"""Decoding loop for beam search and sampling."""

from keras import ops, tree

from keras_bahdanau.backend.indexing import rows_of
from keras_bahdanau.backend.loops import while_rows
from keras_bahdanau.search.active_rows import Rows
from keras_bahdanau.search.hypotheses import best_continuations, own_continuations, ranked_result
from keras_bahdanau.search.next_tokens import IMPOSSIBLE, most_probable
from keras_bahdanau.search.scoring import UNFINISHED


def grow(
    step,
    initial_states,
    constants,
    *,
    start_id,
    rules,
    scoring,
    limits,
    longest,
    width=1,
    n_best=1,
    sampling=None,
):
    """Grows `width` hypotheses for each sentence, and returns the best of them.

    Without `sampling` they compete: the best continuations of any of them are kept. With it each
    is continued by itself, by a token that is drawn.

    All that is known of the hypotheses is a dict of tensors with `batch_size * width` rows, the
    slots: `lengths`, `totals` (of log-probabilities), `tokens` of shape `(slots, T)`, perhaps
    `attention` of shape `(slots, T, S)`; where they compete `path` of shape `(slots, T)`; with a
    coverage penalty `coverage` of shape `(slots, S)`, and `penalties`. Tokens and attention are
    recorded in the slot where they arose and are never reordered: the path of a hypothesis tells,
    for each position, the slot that its token stands in.

    Args:
        step, initial_states, constants, start_id: see `beam_search`.
        rules: the `Rules` of what may be generated.
        scoring: the `Scoring` by which hypotheses are ranked.
        limits: int32 tensor of shape `(batch_size,)`, the greatest lengths.
        longest: int or scalar int tensor that no limit exceeds.
        width, n_best: ints.
        sampling: a `Sampling`, or `None`.

    Returns:
        A `SearchResult`.
    """
    rivals = 1 if sampling else width
    # Without rivals a hypothesis has but its own best continuation, unless its end has a penalty.
    alone = rivals == 1 and not scoring.coverage_penalty
    batch_size = ops.shape(limits)[0]
    plan = Rows(batch_size, width, tree.flatten(constants))
    slots = plan.all_slots
    limits = ops.repeat(limits, width, axis=0) if width > 1 else limits
    positions = ops.arange(longest, dtype="int32")

    def history(hypotheses, of_rows):
        """The tokens generated so far, `(rows, T)`."""
        if rivals == 1:
            return rows_of(hypotheses["tokens"], of_rows)
        places = rows_of(hypotheses["path"], of_rows) * longest + positions
        return rows_of(ops.reshape(hypotheses["tokens"], (-1,)), places)

    def advance(position, token_ids, growing, hypotheses, rows):
        of_rows = rows["slots"]
        logits, states, attention = call_step(
            step,
            rows_of(token_ids, of_rows),
            (initial_states, constants),
            (rows["states"], rows["constants"]),
        )
        count = sampling.count(logits) if sampling else rivals
        log_probabilities, candidates = rules.candidates(
            logits, count, position, of_rows // width, lambda: history(hypotheses, of_rows)
        )
        if sampling:
            log_probabilities, candidates = sampling.draw(
                log_probabilities, candidates, position, of_rows
            )
        elif alone:
            log_probabilities, candidates = most_probable(log_probabilities, candidates)
        totals = rows_of(hypotheses["totals"], of_rows)[:, None] + log_probabilities
        ending = None
        if scoring.coverage_penalty:
            coverage = rows_of(hypotheses["coverage"], of_rows) + attention
            ending = plan.put(scoring.uncovered(coverage), rows, 0.0)
            hypotheses = {**hypotheses, "coverage": plan.put(coverage, rows, 0.0)}
        given = {"position": position, "limits": limits, "rules": rules}
        if alone:
            parents = None
            token_ids, new = own_continuations(
                plan.of_growing(totals[:, 0], rows),
                plan.of_growing(candidates[:, 0], rows),
                hypotheses,
                **given,
            )
        else:
            parents, token_ids, new = best_continuations(
                plan.put(totals, rows, IMPOSSIBLE),
                plan.put(candidates, rows, rules.pad_id),
                hypotheses,
                scoring=scoring,
                ending=ending,
                rivals=rivals,
                **given,
            )
        if n_best < rivals:
            new = end_decided(new, position, limits, scoring, rivals, n_best)
        growing = ops.logical_and(new["lengths"] == UNFINISHED, new["totals"] > IMPOSSIBLE / 10)
        here = positions == position
        new["tokens"] = write(hypotheses["tokens"], here, token_ids)
        if rivals > 1:
            new["path"] = write(rows_of(hypotheses["path"], parents), here, slots)
        if attention is not None:
            attention = plan.put(attention, rows, 0.0)
            new["attention"] = write(hypotheses.get("attention", 0.0), here, attention)
        rows = plan.next(rows, states, parents, growing)
        return position + 1, token_ids, growing, new, rows

    # At first the hypotheses of a sentence are alike, so one of those that compete is enough.
    is_alive = slots % rivals == 0
    shape = (plan.count, longest)
    hypotheses = {
        "lengths": ops.where(limits < 1, 1, UNFINISHED),
        "totals": ops.where(is_alive, 0.0, IMPOSSIBLE),
        "tokens": ops.full(shape, rules.pad_id, dtype="int32"),
    }
    if rivals > 1:
        hypotheses["path"] = ops.zeros(shape, dtype="int32")
    if scoring.coverage_penalty:
        hypotheses["coverage"] = ops.zeros((plan.count, 1), dtype="float32")
        hypotheses["penalties"] = ops.zeros((plan.count,), dtype="float32")
    token_ids = ops.full((plan.count,), start_id, dtype="int32")
    rows = plan.first(tree.flatten(initial_states), alike=rivals > 1)
    # The first step is outside the loop: it tells what the step returns.
    state = advance(0, token_ids, is_alive, hypotheses, rows)
    *_, hypotheses, _ = while_rows(
        lambda position, token_ids, growing, *_: ops.any(growing), advance, state
    )
    lengths = ops.maximum(ops.minimum(hypotheses["lengths"], limits), 0)
    hypotheses = {**hypotheses, "lengths": lengths}
    return ranked_result(hypotheses, scoring, width, n_best, rules.pad_id)


def call_step(step, token_ids, structures, tensors):
    """Calls `step` with its own structures and checks what comes back.

    Args:
        step: function `(token_ids, states, constants) -> (logits, states, attention_scores)`.
        token_ids: int32 tensor of shape `(rows,)`.
        structures: nested structures that `step` takes its states and constants in.
        tensors: for each a flat list of tensors with leading dimension `rows`.

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


def write(buffer, here, values):
    """Returns `buffer` with `values` at one position of its second dimension.

    Every position is written and all but one with what it had: shapes stay static in a graph,
    which an indexed write with a dynamic position does not promise on every backend.

    Args:
        buffer: tensor of shape `(rows, T, ...)`, or a number to begin a buffer with.
        here: bool tensor of shape `(T,)`, True at the position.
        values: tensor of shape `(rows, ...)`.
    """
    here = ops.reshape(here, (-1,) + (1,) * (len(values.shape) - 1))
    return ops.where(here, ops.expand_dims(values, axis=1), buffer)


def end_decided(hypotheses, position, limits, scoring, width, n_best):
    """Drops what grows in sentences whose `n_best` best hypotheses are certain.

    A log-probability only falls, and no hypothesis becomes longer than its limit: so its present
    log-probability at that length, without any coverage penalty, is more than it can reach.

    Args:
        hypotheses: dict: see `grow`.
        position: int or scalar int tensor, of the last token.
        limits: int32 tensor of shape `(slots,)`.
        scoring: see `grow`.
        width, n_best: ints.

    Returns:
        The hypotheses, those dropped with an impossible log-probability.
    """
    lengths, totals = hypotheses["lengths"], hypotheses["totals"]
    grows = lengths == UNFINISHED
    scores = scoring.normalised(totals, ops.minimum(lengths, position + 1))
    if "penalties" in hypotheses:
        scores = scores + hypotheses["penalties"]
    ended = ops.reshape(ops.where(grows, IMPOSSIBLE, scores), (-1, width))
    within_reach = scoring.normalised(totals, ops.maximum(limits, 1))
    within_reach = ops.reshape(ops.where(grows, within_reach, IMPOSSIBLE), (-1, width))
    least = ops.top_k(ended, n_best)[0][:, -1]
    decided = ops.logical_and(least >= ops.max(within_reach, axis=1), least > IMPOSSIBLE / 1000)
    dropped = ops.logical_and(grows, ops.repeat(decided, width))
    return {
        **hypotheses,
        "lengths": ops.where(dropped, position + 1, lengths),
        "totals": ops.where(dropped, IMPOSSIBLE, totals),
    }
