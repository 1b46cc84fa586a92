"""The continuations of hypotheses: the best of those that compete, else each one's own."""

from keras import ops

from keras_bahdanau.lean_ops import rows_of
from keras_bahdanau.search.candidates import IMPOSSIBLE
from keras_bahdanau.search.limits import UNFINISHED, lengths_after


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
