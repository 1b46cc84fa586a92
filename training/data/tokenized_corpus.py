"""Tokenized corpus: token ids of parallel text in memory-mapped arrays.

`corpus_writer.py` writes it.
"""

import json
import os
from pathlib import Path
from typing import NamedTuple

import numpy as np

from keras_bahdanau.errors import InputError

FORMAT = 2
SIDES = ("source", "target")
LINES_FILE = "lines.npy"
# The offset of every 64th sentence is stored; those between follow from the lengths.
OFFSET_STEP = 64
# Line numbers that are kept of each kind of pair.
EXAMPLES = 5


class Outliers(NamedTuple):
    """Pairs beyond a limit: their number, and the line numbers of the first few."""

    count: int
    first_lines: tuple[int, ...]

    def with_lines(self, lines: np.ndarray) -> "Outliers":
        """Returns these pairs and those on later lines."""
        first = [*self.first_lines, *lines[:EXAMPLES].tolist()]
        return Outliers(self.count + len(lines), tuple(first[:EXAMPLES]))


class TokenizedCorpus:
    """Pairs of token id sequences, read from disk on access.

    The ids of all sentences of a side are concatenated in one `.npy` file; a second file holds the
    lengths, a third one the offset of every 64th sentence. All are memory-mapped: opening takes no
    time, and memory holds only the pages in use, whatever the size of the corpus.

    Args:
        directory: the directory that `build_corpus` wrote.

    Attributes:
        end_id: id of the end token.
        source_lengths: integer array `(pairs,)` on disk, tokens of each source, end token included.
        target_lengths: integer array `(pairs,)` on disk, tokens of each target, end token included
            (the tokens that the model has to predict).
        line_numbers: integer array `(pairs,)` on disk, the line of each pair in the training text.
        long_pairs: `Outliers` that were left out because a side was too long.
        uneven_pairs: `Outliers` whose ratio of lengths was too high.

    Raises:
        InputError: the directory does not hold an intact tokenized corpus.
    """

    def __init__(self, directory: str | os.PathLike) -> None:
        directory = Path(directory)
        try:
            facts = json.loads((directory / "corpus.json").read_text(encoding="utf-8"))
            if facts["format"] != FORMAT:
                raise ValueError(f"format {facts['format']} instead of {FORMAT}")
            self.end_id = facts["end_id"]
            self.long_pairs, self.uneven_pairs = (
                Outliers(facts[kind]["count"], tuple(facts[kind]["first_lines"]))
                for kind in ("long_pairs", "uneven_pairs")
            )
            self._sides = {side: _load(directory, side, facts["pairs"]) for side in SIDES}
            self.line_numbers = _map(directory / LINES_FILE)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise InputError(f"Expected a tokenized corpus in {directory}: {error}") from None
        self.source_lengths = self._sides["source"].lengths
        self.target_lengths = self._sides["target"].lengths

    def __len__(self) -> int:
        return len(self.source_lengths)

    def source(self, index: int) -> np.ndarray:
        """Returns the source ids of a pair with the end token: int32 array `(length,)`."""
        return self.padded("source", np.array([index]), int(self.source_lengths[index]))[0]

    def target(self, index: int) -> np.ndarray:
        """Returns the target ids of a pair without the end token: int32 array `(length,)`."""
        return self.padded("target", np.array([index]), int(self.target_lengths[index]))[0, :-1]

    def padded(self, side: str, indices: np.ndarray, width: int, pad_id: int = 0) -> np.ndarray:
        """Returns the ids of several pairs, padded on the right.

        Args:
            side: `"source"` or `"target"`.
            indices: integers `(rows,)`, the indices of the pairs.
            width: at least the maximum of their lengths.
            pad_id: id of the padding after the end tokens.

        Returns:
            int32 array `(rows, width)`.
        """
        ids, lengths, offsets = self._sides[side]
        # The offset of a sentence: the last one that is stored, plus the lengths after it.
        known = indices // OFFSET_STEP
        steps = np.arange(OFFSET_STEP - 1)
        before = lengths[np.minimum(known[:, None] * OFFSET_STEP + steps, len(lengths) - 1)]
        is_before = steps < (indices % OFFSET_STEP)[:, None]
        starts = offsets[known] + np.where(is_before, before, 0).sum(axis=1, dtype=np.int64)
        is_token = np.arange(width) < lengths[indices][:, None]
        rows = np.full((len(indices), width), pad_id, dtype=np.int32)
        rows[is_token] = ids[(starts[:, None] + np.arange(width))[is_token]]
        return rows


class _Side(NamedTuple):
    ids: np.ndarray
    lengths: np.ndarray
    offsets: np.ndarray


def _load(directory: Path, side: str, pairs: int) -> _Side:
    loaded = _Side(*(_map(directory / f"{side}_{part}.npy") for part in _Side._fields))
    known = -(-pairs // OFFSET_STEP) + 1
    if (
        loaded.lengths.shape != (pairs,)
        or loaded.offsets.shape != (known,)
        or loaded.offsets[-1] != len(loaded.ids)
    ):
        raise ValueError(f"{side}_ids.npy is inconsistent with its lengths and offsets")
    return loaded


def _map(path: Path) -> np.ndarray:
    return np.load(path, mmap_mode="r", allow_pickle=False)
