"""Columns of numbers about the pairs of a corpus, in temporary files instead of memory."""

import os
import tempfile
from collections.abc import Iterator, Sequence

import numpy as np

CHUNK = 1 << 20
# Hashes that are sorted at a time: about 100 MB.
HASHES_AT_ONCE = 1 << 21


class Column:
    """One number for each pair, appended once and read in chunks any number of times.

    The file has no name where the system allows it, so that nothing is left of it after a kill.

    Args:
        dtype: kind of the numbers.
        directory: where the temporary file is made.
    """

    def __init__(self, dtype: str, directory: str | os.PathLike) -> None:
        self.dtype = np.dtype(dtype)
        self.count = 0
        self._file = tempfile.TemporaryFile(dir=directory)

    def append(self, values: Sequence) -> None:
        """Adds numbers for the next pairs."""
        self._file.write(np.asarray(values, dtype=self.dtype).tobytes())
        self.count += len(values)

    def chunks(self) -> Iterator[tuple[slice, np.ndarray]]:
        """Yields the numbers from the first on, with the slice of pairs that they belong to."""
        self._file.seek(0)
        for start in range(0, self.count, CHUNK):
            stop = min(start + CHUNK, self.count)
            data = self._file.read((stop - start) * self.dtype.itemsize)
            yield slice(start, stop), np.frombuffer(data, dtype=self.dtype)

    def read(self) -> np.ndarray:
        """Returns all numbers at once."""
        values = np.empty(self.count, dtype=self.dtype)
        for where, chunk in self.chunks():
            values[where] = chunk
        return values

    def __enter__(self) -> "Column":
        return self

    def __exit__(self, *error) -> None:
        self._file.close()


def repeated(hashes: Column, at_once: int = HASHES_AT_ONCE) -> np.ndarray:
    """Finds the pairs whose hash some earlier pair has.

    The hashes are read as often as needed to sort only about `at_once` of them at a time, each
    time those of another range of values.

    Args:
        hashes: uint64 hashes that are spread evenly over all values.
        at_once: how many to sort at a time.

    Returns:
        bool array `(pairs,)`; the first of equal ones is False.
    """
    is_repeated = np.zeros(hashes.count, dtype=bool)
    ranges = -(-hashes.count // at_once)
    for number in range(ranges):
        found = []
        for where, values in hashes.chunks():
            (positions,) = np.nonzero((values >> 32) * np.uint64(ranges) >> 32 == number)
            found.append((values[positions], positions + where.start))
        values, positions = (np.concatenate(parts) for parts in zip(*found, strict=True))
        # Stable, so that equal hashes stay in the order of their pairs.
        order = np.argsort(values, kind="stable")
        values = values[order]
        is_repeated[positions[order[1:]][values[1:] == values[:-1]]] = True
    return is_repeated
