"""A tokenized corpus on disk: token ids of any number of pairs in memory-mapped arrays."""

import json
import os
from pathlib import Path
from typing import NamedTuple

import numpy as np

from keras_bahdanau.errors import InputError
from keras_bahdanau.training.side_writer import OFFSET_STEP

FORMAT = 2
SIDES = ("source", "target")
LINES_FILE = "lines.npy"
# How many line numbers of a kind of pair are shown.
EXAMPLES = 5


class Outliers(NamedTuple):
    """Pairs beyond a limit: how many, and the line numbers of the first of them."""

    count: int
    first_lines: tuple[int, ...]

    def with_lines(self, lines: np.ndarray) -> "Outliers":
        """These pairs and those on some later lines."""
        first = [*self.first_lines, *lines[:EXAMPLES].tolist()]
        return Outliers(self.count + len(lines), tuple(first[:EXAMPLES]))


class TokenizedCorpus:
    """Pairs of token id sequences, read from disk where they are needed.

    The ids of all sentences of a side stand one after another in one `.npy` file, with a second
    file of lengths and a third one of where every 64th sentence starts. They are memory-mapped:
    opening takes no time and memory holds only the pages in use, whatever the size of the corpus.
    `build_corpus` writes one.

    Args:
        directory: what `build_corpus` wrote.

    Attributes:
        end_id: id of the end token.
        source_lengths: integer array `(pairs,)` on disk, tokens of each source, the end token
            included.
        target_lengths: integer array `(pairs,)` on disk, tokens of each target, the end token
            included (that is, how many tokens the model has to predict).
        line_numbers: integer array `(pairs,)` on disk, the line that each pair stood on.
        long_pairs: `Outliers` that were left out because a side was too long.
        uneven_pairs: `Outliers` whose one side was too long for the other.

    Raises:
        InputError: if the directory does not hold a whole tokenized corpus.
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
        """Returns the source ids of a pair, the end token last: int32 array `(length,)`."""
        return self.padded("source", np.array([index]), int(self.source_lengths[index]))[0]

    def target(self, index: int) -> np.ndarray:
        """Returns the target ids of a pair without start and end: int32 array `(length,)`."""
        return self.padded("target", np.array([index]), int(self.target_lengths[index]))[0, :-1]

    def padded(self, side: str, indices: np.ndarray, width: int, pad_id: int = 0) -> np.ndarray:
        """Returns the ids of several pairs.

        Args:
            side: `"source"` or `"target"`.
            indices: integers `(rows,)`, which pairs.
            width: at least the greatest of their lengths.
            pad_id: what stands behind the end tokens.

        Returns:
            int32 array `(rows, width)`.
        """
        ids, lengths, offsets = self._sides[side]
        # The pairs between the last one whose start is known and the one that is wanted.
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
        raise ValueError(f"{side}_ids.npy and its lengths and offsets do not belong together")
    return loaded


def _map(path: Path) -> np.ndarray:
    return np.load(path, mmap_mode="r", allow_pickle=False)
