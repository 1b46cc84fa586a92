"""A tokenized corpus on disk: token ids of any number of pairs in memory-mapped arrays."""

import contextlib
import json
import os
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from keras_bahdanau.errors import InputError
from keras_bahdanau.files import atomic_path, check_is_free

_FORMAT = 1
_SIDES = ("source", "target")


class LongPairs(NamedTuple):
    """What was longer than the limit.

    Attributes:
        limit: most tokens that a side may have, its end token included.
        count: how many pairs have a longer side.
        longest: tokens of the longest side, its end token included (0 where none was longer).
        first_line: line number of the first such pair (0 where none was longer).
    """

    limit: int
    count: int
    longest: int
    first_line: int


class TokenizedCorpus:
    """Pairs of token id sequences, read from disk where they are needed.

    The ids of all sentences of a side stand one after another in one `.npy` file, with a second
    file of offsets, and both are memory-mapped: opening takes no time and memory holds only the
    pages in use, whatever the size of the corpus. Use `build` to write one.

    Args:
        directory: what `build` wrote.

    Attributes:
        end_id: id of the end token.
        source_lengths: int64 array `(pairs,)`, tokens of each source, the end token included.
        target_lengths: int64 array `(pairs,)`, tokens of each target, the end token included
            (that is, how many tokens the model has to predict).
        long_pairs: `LongPairs` that were left out when the corpus was built.

    Raises:
        InputError: if the directory does not hold a whole tokenized corpus.
    """

    def __init__(self, directory: str | os.PathLike) -> None:
        directory = Path(directory)
        try:
            facts = json.loads((directory / "corpus.json").read_text(encoding="utf-8"))
            if facts["format"] != _FORMAT:
                raise ValueError(f"format {facts['format']} instead of {_FORMAT}")
            self.end_id = facts["end_id"]
            self.long_pairs = LongPairs(**facts["long_pairs"])
            self._source_ids, self._source_offsets = _load(directory, "source", facts["pairs"])
            self._target_ids, self._target_offsets = _load(directory, "target", facts["pairs"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise InputError(f"Expected a tokenized corpus in {directory}: {error}") from None
        self.source_lengths = np.diff(self._source_offsets)
        self.target_lengths = np.diff(self._target_offsets) + 1

    def __len__(self) -> int:
        return len(self._source_offsets) - 1

    def source(self, index: int) -> np.ndarray:
        """Returns the source ids of a pair, the end token last: int32 array `(length,)`."""
        start, stop = self._source_offsets[index], self._source_offsets[index + 1]
        return self._source_ids[start:stop].astype(np.int32)

    def target(self, index: int) -> np.ndarray:
        """Returns the target ids of a pair without start and end: int32 array `(length,)`."""
        start, stop = self._target_offsets[index], self._target_offsets[index + 1]
        return self._target_ids[start:stop].astype(np.int32)

    @classmethod
    def build(
        cls,
        directory: str | os.PathLike,
        encoded_pairs: Iterable[tuple[Sequence[int], Sequence[int]]],
        *,
        end_id: int,
        max_length: int,
        vocabulary_size: int,
        on_long: str = "error",
        line_numbers: Iterable[int] | None = None,
    ) -> "TokenizedCorpus":
        """Writes a corpus and opens it. Memory holds one pair at a time.

        Args:
            directory: where to write. It must be absent or empty, and appears when it is whole.
            encoded_pairs: (source ids, target ids) without start and end tokens.
            end_id: id of the end token.
            max_length: most tokens that a side may have, its end token included.
            vocabulary_size: ids are below it. Up to 65,536 an id takes two bytes, else four.
            on_long: what to do with longer pairs, `"error"` or `"drop"`.
            line_numbers: line number of each pair. Defaults to 1, 2, 3, ...

        Returns:
            The `TokenizedCorpus`.

        Raises:
            InputError: if the directory is not empty, no pair is left, or pairs are too long
                and `on_long="error"`.
        """
        if on_long not in ("error", "drop"):
            raise ValueError(f"Argument `on_long` must be 'error' or 'drop'. Received: {on_long!r}")
        directory = Path(directory)
        check_is_free(directory)
        with atomic_path(directory) as temporary:
            temporary.mkdir()
            with contextlib.ExitStack() as stack:
                writers = [
                    stack.enter_context(_Writer(temporary, side, vocabulary_size))
                    for side in _SIDES
                ]
                long_pairs = _write(writers, encoded_pairs, line_numbers, end_id, max_length)
            if long_pairs.count and on_long == "error":
                raise InputError(
                    f"Expected at most {max_length} tokens a sentence (end included). Received: "
                    f"{long_pairs.count} pairs with more, the longest of {long_pairs.longest}, "
                    f"the first on line {long_pairs.first_line}"
                )
            pairs = writers[0].count
            if not pairs:
                raise InputError(
                    f"Expected at least one pair of at most {max_length} tokens a sentence. "
                    f"Received: {long_pairs.count} longer pairs and no other"
                )
            for writer in writers:
                writer.finish()
            facts = {
                "format": _FORMAT,
                "pairs": pairs,
                "end_id": end_id,
                "long_pairs": long_pairs._asdict(),
            }
            (temporary / "corpus.json").write_text(json.dumps(facts, indent=2) + "\n", "utf-8")
        return cls(directory)


class _Writer:
    """Appends sequences of ids to two raw files and makes `.npy` files of them at the end."""

    def __init__(self, directory: Path, side: str, vocabulary_size: int) -> None:
        self._directory, self._side = directory, side
        self._vocabulary_size = vocabulary_size
        self._dtype = np.dtype("<u2" if vocabulary_size <= 1 << 16 else "<i4")
        self._ids = open(directory / f"{side}_ids.raw", "wb")
        self._offsets = open(directory / f"{side}_offsets.raw", "wb")
        self._total, self.count = 0, 0
        self._offsets.write(np.int64(0).astype("<i8").tobytes())

    def add(self, ids: Sequence[int]) -> None:
        array = np.asarray(ids, dtype=np.int64)
        if array.size and not 0 <= array.min() <= array.max() < self._vocabulary_size:
            raise ValueError(
                f"Token ids must be at least 0 and below vocabulary_size={self._vocabulary_size}. "
                f"Received: {array.min()} to {array.max()} on the {self._side} side"
            )
        self._ids.write(array.astype(self._dtype).tobytes())
        self._total += array.size
        self.count += 1
        self._offsets.write(np.int64(self._total).astype("<i8").tobytes())

    def __enter__(self) -> "_Writer":
        return self

    def __exit__(self, *error) -> None:
        self._ids.close()
        self._offsets.close()

    def finish(self) -> None:
        self._to_npy(self._ids.name, self._dtype, self._total)
        self._to_npy(self._offsets.name, np.dtype("<i8"), self.count + 1)

    @staticmethod
    def _to_npy(raw: str, dtype: np.dtype, length: int) -> None:
        # The length stands in the header, so it can only be written when all is known.
        raw_path = Path(raw)
        header = {"descr": dtype.str, "fortran_order": False, "shape": (length,)}
        with open(raw_path, "rb") as source, open(raw_path.with_suffix(".npy"), "wb") as file:
            np.lib.format.write_array_header_1_0(file, header)
            shutil.copyfileobj(source, file, 1 << 20)
        raw_path.unlink()


def _write(writers, encoded_pairs, line_numbers, end_id: int, max_length: int) -> LongPairs:
    count, longest, first_line = 0, 0, 0
    numbers = iter(line_numbers) if line_numbers is not None else None
    for position, (source, target) in enumerate(encoded_pairs, start=1):
        line = next(numbers) if numbers is not None else position
        length = max(len(source), len(target)) + 1
        if length > max_length:
            count, longest, first_line = count + 1, max(longest, length), first_line or line
            continue
        writers[0].add([*source, end_id])
        writers[1].add(target)
    return LongPairs(max_length, count, longest, first_line)


def _load(directory: Path, side: str, pairs: int) -> tuple[np.ndarray, np.ndarray]:
    ids, offsets = (
        np.load(directory / f"{side}_{part}.npy", mmap_mode="r", allow_pickle=False)
        for part in ("ids", "offsets")
    )
    if offsets.shape != (pairs + 1,) or offsets[-1] != len(ids):
        raise ValueError(f"{side}_ids.npy and {side}_offsets.npy do not belong together")
    return ids, offsets
