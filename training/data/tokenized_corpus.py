"""A tokenized corpus in memory-mapped arrays: reading it, and writing one side."""

import json
import os
import shutil
from collections.abc import Sequence
from itertools import chain
from pathlib import Path
from typing import NamedTuple

import numpy as np

from keras_bahdanau.errors import InputError

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


# Every so many sentences the place of one is written down; lengths tell the others.
OFFSET_STEP = 64
_CHUNK = OFFSET_STEP << 14


class ArrayWriter:
    """Writes a long vector to an `.npy` file, part by part.

    Args:
        path: the file, which `finish` makes.
        dtype: kind of its numbers.
    """

    def __init__(self, path: Path, dtype: np.dtype) -> None:
        self.path, self.dtype, self.count = path, dtype, 0
        self._file = open(path.with_suffix(".raw"), "wb")

    def add(self, values: np.ndarray) -> None:
        """Appends values."""
        self._file.write(values.astype(self.dtype).tobytes())
        self.count += len(values)

    def __enter__(self) -> "ArrayWriter":
        return self

    def __exit__(self, *error) -> None:
        self._file.close()

    def finish(self) -> None:
        """Makes the `.npy` file, once the writer is closed."""
        # The length stands in the header, so it can only be written when all is known.
        header = {"descr": self.dtype.str, "fortran_order": False, "shape": (self.count,)}
        raw = Path(self._file.name)
        with open(raw, "rb") as source, open(self.path, "wb") as file:
            np.lib.format.write_array_header_1_0(file, header)
            shutil.copyfileobj(source, file, 1 << 20)
        raw.unlink()


class SideWriter:
    """Writes the ids of one side, their lengths and where some of them start.

    Args:
        directory: where to write.
        side: `"source"` or `"target"`, the start of the files' names.
        vocabulary_size: ids are below it. Up to 65,536 an id takes two bytes, else four.
        max_length: no sequence is longer. Below 65,536 a length takes two bytes, else four.
    """

    def __init__(self, directory: Path, side: str, vocabulary_size: int, max_length: int) -> None:
        self.side, self.vocabulary_size = side, vocabulary_size
        self._offsets_path = directory / f"{side}_offsets.npy"
        self._ids, self._lengths = (
            ArrayWriter(directory / f"{side}_{part}.npy", np.dtype("<u2" if is_small else "<i4"))
            for part, is_small in (
                ("ids", vocabulary_size <= 1 << 16),
                ("lengths", max_length < 1 << 16),
            )
        )

    def add(self, sequences: Sequence[Sequence[int]]) -> None:
        """Appends sequences."""
        lengths = np.fromiter(map(len, sequences), dtype=np.int64, count=len(sequences))
        total = int(lengths.sum())
        ids = np.fromiter(chain.from_iterable(sequences), dtype=np.int64, count=total)
        if total and not 0 <= ids.min() <= ids.max() < self.vocabulary_size:
            raise ValueError(
                f"Token ids must be at least 0 and below vocabulary_size={self.vocabulary_size}. "
                f"Received: {ids.min()} to {ids.max()} on the {self.side} side"
            )
        self._ids.add(ids)
        self._lengths.add(lengths)

    def __enter__(self) -> "SideWriter":
        return self

    def __exit__(self, *error) -> None:
        self._ids.__exit__(*error)
        self._lengths.__exit__(*error)

    def finish(self) -> None:
        """Makes the `.npy` files, once the writer is closed."""
        self._ids.finish()
        self._lengths.finish()
        lengths = np.load(self._lengths.path, mmap_mode="r", allow_pickle=False)
        np.save(self._offsets_path, _offsets(lengths))


def _offsets(lengths: np.ndarray) -> np.ndarray:
    """Where every sentence whose position is a multiple of `OFFSET_STEP` starts; the total last."""
    sums = [np.zeros(1, dtype=np.int64)]
    for start in range(0, len(lengths), _CHUNK):
        chunk = lengths[start : start + _CHUNK].astype(np.int64)
        sums.append(np.add.reduceat(chunk, np.arange(0, len(chunk), OFFSET_STEP)))
    return np.cumsum(np.concatenate(sums))
