"""What hypotheses are ranked by: log-probability, length and coverage of the source."""

from dataclasses import dataclass
from typing import Any

from keras import ops

from keras_bahdanau.search.limits import check_one_of

LENGTH_PENALTIES = ("average", "wu")


@dataclass(frozen=True)
class Scoring:
    """How the score of a hypothesis is made.

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
        check_one_of("length_penalty_type", self.length_penalty_type, LENGTH_PENALTIES)
        for name in ("length_penalty", "coverage_penalty"):
            value = getattr(self, name)
            if isinstance(value, (int, float)) and not value >= 0:
                raise ValueError(
                    f"Argument `{name}` must not be negative. Received: {name}={value}"
                )

    def normalised(self, log_probabilities, lengths):
        """Returns `log_probabilities / lp(lengths)`; lengths are 1 or more."""
        alpha = self.length_penalty
        is_number = isinstance(alpha, (int, float))
        if is_number and alpha == 0:
            return log_probabilities
        lengths = ops.cast(lengths, "float32")
        if self.length_penalty_type == "wu":
            lengths = (5.0 + lengths) / 6.0
        return log_probabilities / (lengths if is_number and alpha == 1 else lengths**alpha)

    def uncovered(self, coverage):
        """The coverage term of rows whose attention adds up to `coverage`, `(rows, S)`."""
        covered = ops.where(coverage == 0, 1.0, ops.minimum(coverage, 1.0))
        return self.coverage_penalty * ops.sum(ops.log(covered), axis=-1)
