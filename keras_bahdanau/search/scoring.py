"""Scores of hypotheses: length and coverage penalties; length limits."""

from dataclasses import dataclass
from typing import Any

from keras import ops, tree

LENGTH_PENALTIES = ("average", "wu")
# The length of an active hypothesis: larger than any `max_length`.
UNFINISHED = 2**30


@dataclass(frozen=True)
class Scoring:
    """The score that hypotheses are ranked by.

        log_probability / lp(length) + coverage_penalty * sum_j log(min(sum_i attention_ij, 1))

    Args:
        length_penalty: alpha, a non-negative float or a scalar tensor.
        length_penalty_type: `"average"`, lp(n) = n ** alpha; or `"wu"`,
            lp(n) = ((5 + n) / 6) ** alpha.
        coverage_penalty: beta, a non-negative float. Source positions without any attention, such
            as padding, do not count.

    Reference: Wu et al. 2016, https://arxiv.org/abs/1609.08144, equation 14.
    """

    length_penalty: Any = 1.0
    length_penalty_type: str = "average"
    coverage_penalty: float = 0.0

    def __post_init__(self):
        if self.length_penalty_type not in LENGTH_PENALTIES:
            raise ValueError(
                f"Argument `length_penalty_type` must be one of {LENGTH_PENALTIES}. "
                f"Received: length_penalty_type={self.length_penalty_type!r}"
            )
        for name in ("length_penalty", "coverage_penalty"):
            value = getattr(self, name)
            if isinstance(value, (int, float)) and not value >= 0:
                raise ValueError(
                    f"Argument `{name}` must not be negative. Received: {name}={value}"
                )

    def length_normalized(self, log_probabilities, lengths):
        """Returns `log_probabilities / lp(lengths)`; lengths are at least 1."""
        alpha = self.length_penalty
        is_number = isinstance(alpha, (int, float))
        if is_number and alpha == 0:
            return log_probabilities
        lengths = ops.cast(lengths, "float32")
        if self.length_penalty_type == "wu":
            lengths = (5.0 + lengths) / 6.0
        return log_probabilities / (lengths if is_number and alpha == 1 else lengths**alpha)

    def coverage_term(self, coverage):
        """Returns the coverage term of the score, shape `(rows,)`.

        Args:
            coverage: float32 tensor of shape `(rows, S)`, attention summed over the tokens.
        """
        covered = ops.where(coverage == 0, 1.0, ops.minimum(coverage, 1.0))
        return self.coverage_penalty * ops.sum(ops.log(covered), axis=-1)


def length_limits(max_length, batch_size, longest=None):
    """Returns `max_length` for each sentence, and the number of positions to reserve.

    Args:
        max_length: positive int, or int tensor of shape `(batch_size,)`.
        batch_size: int or scalar int tensor.
        longest: int, an upper bound of a tensor `max_length`; `None` for its largest entry.

    Returns:
        An int32 tensor of shape `(batch_size,)`, and an int or a scalar int32 tensor.
    """
    if isinstance(max_length, int):
        check_at_least("max_length", max_length, 1)
        longest = max_length
    else:
        max_length = ops.cast(ops.convert_to_tensor(max_length), "int32")
        longest = ops.maximum(ops.max(max_length), 1) if longest is None else longest
    return ops.broadcast_to(ops.cast(max_length, "int32"), (batch_size,)), longest


def updated_lengths(lengths, token_ids, position, end_id, max_lengths):
    """Returns the lengths after a token was appended at `position`.

    Args:
        lengths: int32 tensor of shape `(slots,)`, `UNFINISHED` for active hypotheses.
        token_ids: int32 tensor of shape `(slots,)`, the appended tokens.
        position: int or scalar int tensor.
        end_id: int.
        max_lengths: int32 tensor of shape `(slots,)`.

    Returns:
        int32 tensor of shape `(slots,)`: hypotheses that finished earlier keep their length.
    """
    is_finished = ops.logical_or(token_ids == end_id, max_lengths <= position + 1)
    return ops.where(is_finished, ops.minimum(lengths, position + 1), lengths)


def batch_size_of(initial_states):
    """Returns the leading dimension of `initial_states`, an int or (in a graph) a tensor."""
    states = tree.flatten(initial_states)
    if not states:
        raise ValueError(
            "Argument `initial_states` must hold at least one tensor, whose first dimension is "
            f"the batch. Received: initial_states={initial_states}"
        )
    return ops.shape(states[0])[0]


def check_at_least(name, value, least):
    """Raises a `ValueError` unless `value` is an int of at least `least`."""
    if not isinstance(value, int) or value < least:
        raise ValueError(
            f"Argument `{name}` must be an integer of at least {least}. Received: {name}={value}"
        )
