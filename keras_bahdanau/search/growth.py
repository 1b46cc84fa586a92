"""The loop of every search: hypotheses that grow, token by token."""

from keras import ops, tree

from keras_bahdanau.lean_ops import rows_of
from keras_bahdanau.loops import while_rows
from keras_bahdanau.search.candidates import IMPOSSIBLE, most_probable
from keras_bahdanau.search.continuing import best_continuations, own_continuations
from keras_bahdanau.search.ending import end_decided
from keras_bahdanau.search.limits import UNFINISHED
from keras_bahdanau.search.ranking import ranked_result
from keras_bahdanau.search.rows import Rows
from keras_bahdanau.search.stepping import call_step, write


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
