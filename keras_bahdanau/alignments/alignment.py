"""Soft and hard word alignment of one sentence pair."""

import dataclasses
import math
from collections.abc import Sequence

import numpy as np


@dataclasses.dataclass(frozen=True, eq=False)
class Alignment:
    """The words of one sentence pair and the attention weights between them.

    Args:
        source_words: the words of the source, `</s>` for its end where weights have that column.
        target_words: the words of the translation.
        weights: array-like of shape `(len(target_words), len(source_words))`, the attention of
            each target word: in [0, 1], each row summing to at most 1.
        score: the log-probability of the translation (natural logarithm), or `None`.
        title: str, added to the sentence's number in its heading.

    Raises:
        ValueError: `weights` have another shape or range, or `score` is not finite.
    """

    source_words: Sequence[str]
    target_words: Sequence[str]
    weights: np.ndarray
    score: float | None = None
    title: str = ""

    def __post_init__(self):
        expected = (len(self.target_words), len(self.source_words))
        weights = np.asarray(self.weights, dtype=np.float32)
        if weights.size == 0 and 0 in expected:
            # An empty list has no second dimension.
            weights = np.zeros(expected, np.float32)
        if weights.shape != expected:
            raise ValueError(
                "Argument `weights` must have the shape (target words, source words) = "
                f"{expected}. Received: shape {weights.shape}"
            )
        # The tolerance is for weights that were rounded to 16 bits.
        if not np.all((weights >= -0.01) & (weights <= 1.01)):
            raise ValueError(
                "Argument `weights` must lie between 0 and 1. Received: values from "
                f"{weights.min()} to {weights.max()}"
            )
        if self.score is not None and not math.isfinite(self.score):
            raise ValueError(f"Argument `score` must be finite. Received: score={self.score}")
        object.__setattr__(self, "weights", np.clip(weights, 0.0, 1.0))

    def links(self) -> list[tuple[int, int]]:
        """Hard alignment: the most attended source word of each target word.

        Returns pairs (source index, target index) from 0. A target word whose weights are all 0
        has no link. Leave out the ends of sentences first (`Translation.word_alignment` does).
        """
        if not self.source_words:
            return []
        best = self.weights.argmax(axis=1)
        return [(int(j), i) for i, j in enumerate(best) if self.weights[i, j] > 0]

    def pharaoh(self) -> str:
        """The links in Pharaoh format: "0-0 2-1", the source index first."""
        return " ".join(f"{source}-{target}" for source, target in self.links())

    def soft(self) -> str:
        """The weights as text: "0.9,0.1 0.2,0.8", one group per target word."""
        return " ".join(",".join(f"{weight:.6g}" for weight in row) for row in self.weights)

    @property
    def is_blank(self) -> bool:
        """Whether a side has no words."""
        return not self.source_words or not self.target_words

    def heading(self, number: int) -> str:
        """The heading of sentence `number` (from 1): its number, title and score."""
        parts = [f"{number}." if not self.title else f"{number}. {self.title}"]
        if self.score is not None:
            parts.append(f"log-probability {self.score:.2f}")
        return "  ".join(parts)
