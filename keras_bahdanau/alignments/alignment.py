"""One translated sentence and where the model looked while it wrote it."""

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
        weights: array-like of shape `(len(target_words), len(source_words))`; row i says how target
            word i divided its attention: every weight is in [0, 1] and a row sums to at most 1.
        score: what the search gave the translation, a log-probability (natural logarithm), or None.
        title: text that names the sentence in a picture, empty for its number alone.
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
            # A blank side has no weights, and an empty list cannot say along which axis.
            weights = np.zeros(expected, np.float32)
        if weights.shape != expected:
            raise ValueError(
                "Argument `weights` must have the shape (target words, source words) = "
                f"{expected}. Received: shape {weights.shape}"
            )
        # Weights rounded to 16 bits may miss the bounds by a little.
        if not np.all((weights >= -0.01) & (weights <= 1.01)):
            raise ValueError(
                "Argument `weights` must lie between 0 and 1. Received: values from "
                f"{weights.min()} to {weights.max()}"
            )
        if self.score is not None and not math.isfinite(self.score):
            raise ValueError(f"Argument `score` must be finite. Received: score={self.score}")
        object.__setattr__(self, "weights", np.clip(weights, 0.0, 1.0))

    def links(self) -> list[tuple[int, int]]:
        """Each target word's most attended source word: pairs (source word, target word), from 0.

        A target word that attends to nothing has none. Leave the ends of sentences out of an
        alignment whose links you want (`Translation.word_alignment` does).
        """
        if not self.source_words:
            return []
        best = self.weights.argmax(axis=1)
        return [(int(j), i) for i, j in enumerate(best) if self.weights[i, j] > 0]

    def pharaoh(self) -> str:
        """The links as text: "0-0 2-1", the number of the source word first."""
        return " ".join(f"{source}-{target}" for source, target in self.links())

    def soft(self) -> str:
        """The weights as text: "0.9,0.1 0.2,0.8", each target word's of all source words."""
        return " ".join(",".join(f"{weight:.6g}" for weight in row) for row in self.weights)

    @property
    def is_blank(self) -> bool:
        """Whether there is nothing to draw: a side without words."""
        return not self.source_words or not self.target_words

    def heading(self, number: int) -> str:
        """The line above the sentence, which is the `number`-th (from 1)."""
        parts = [f"{number}." if not self.title else f"{number}. {self.title}"]
        if self.score is not None:
            parts.append(f"log-probability {self.score:.2f}")
        return "  ".join(parts)
