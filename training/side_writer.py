"""Writes the files of one side of a tokenized corpus."""

import shutil
from collections.abc import Sequence
from itertools import chain
from pathlib import Path

import numpy as np

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
