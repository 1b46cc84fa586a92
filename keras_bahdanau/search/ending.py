"""When nothing that still grows can become one of the best."""

from keras import ops

from keras_bahdanau.search.candidates import IMPOSSIBLE
from keras_bahdanau.search.limits import UNFINISHED


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
