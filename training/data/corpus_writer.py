"""Writes a tokenized corpus to disk, pair by pair, and applies the limits on lengths."""

import itertools
import json
import math
import os
import shutil
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from keras_bahdanau.errors import InputError
from keras_bahdanau.files import atomic_path, check_is_free

from ..corpora.parallel_text import blocks
from .tokenized_corpus import (
    FORMAT,
    LINES_FILE,
    OFFSET_STEP,
    SIDES,
    Outliers,
    TokenizedCorpus,
)

# Lengths that are summed at a time, a multiple of `OFFSET_STEP`.
_CHUNK = OFFSET_STEP << 14


def build_corpus(
    directory: str | os.PathLike,
    encoded_pairs: Iterable[tuple[Sequence[int], Sequence[int]]],
    *,
    end_id: int,
    max_length: int,
    vocabulary_size: int,
    on_long: str = "error",
    max_length_ratio: float = math.inf,
    on_uneven: str = "keep",
    line_numbers: Iterable[int] | None = None,
) -> TokenizedCorpus:
    """Writes a tokenized corpus and opens it. Memory holds about a thousand pairs at a time.

    Args:
        directory: where to write: absent or empty. It appears when it is complete.
        encoded_pairs: (source ids, target ids) without start and end tokens.
        end_id: id of the end token.
        max_length: maximum number of tokens of a side, end token included.
        vocabulary_size: ids are below it. Up to 65,536 an id takes two bytes, else four.
        on_long: what to do with longer pairs, `"error"` or `"drop"`.
        max_length_ratio: maximum ratio of the two lengths, end tokens included.
        on_uneven: what to do with pairs of a higher ratio, `"keep"` or `"drop"`. Dropped ones do
            not count as long.
        line_numbers: line number of each pair. Defaults to 1, 2, 3, ...

    Returns:
        The `TokenizedCorpus`.

    Raises:
        InputError: the directory is not empty, no pair is left, or a pair is too long and
            `on_long="error"`.
        ValueError: `on_long`, `on_uneven` or a token id is out of its range.
    """
    _check_choice("on_long", on_long, ("error", "drop"))
    _check_choice("on_uneven", on_uneven, ("keep", "drop"))
    directory = Path(directory)
    check_is_free(directory)
    limits = _Limits(max_length, max_length_ratio, drops_uneven=on_uneven == "drop")
    with atomic_path(directory) as temporary:
        temporary.mkdir()
        with ExitStack() as stack:
            writers = [
                stack.enter_context(SideWriter(temporary, side, vocabulary_size, max_length))
                for side in SIDES
            ]
            lines = stack.enter_context(ArrayWriter(temporary / LINES_FILE, np.dtype("<u4")))
            numbers = itertools.count(1) if line_numbers is None else line_numbers
            # Pairs first in `zip`: at their end, no line number is consumed.
            numbered = zip(encoded_pairs, numbers, strict=False)
            for block in blocks((*pair, line) for pair, line in numbered):
                kept = limits.within(block)
                for writer, side in zip(writers, (0, 1), strict=True):
                    writer.add([[*each[side], end_id] for each in kept])
                lines.add(np.array([line for *_, line in kept], dtype="<u4"))
        limits.check(lines.count, on_long)
        for writer in (*writers, lines):
            writer.finish()
        facts = {
            "format": FORMAT,
            "pairs": lines.count,
            "end_id": end_id,
            "long_pairs": limits.long._asdict(),
            "uneven_pairs": limits.uneven._asdict(),
        }
        (temporary / "corpus.json").write_text(json.dumps(facts, indent=2) + "\n", "utf-8")
    return TokenizedCorpus(directory)


class _Limits:
    """Filters and counts the pairs beyond the limits on lengths."""

    def __init__(self, max_length: int, max_length_ratio: float, drops_uneven: bool) -> None:
        self.max_length, self.max_length_ratio = max_length, max_length_ratio
        self.drops_uneven = drops_uneven
        self.long, self.uneven = Outliers(0, ()), Outliers(0, ())
        self._longest = 0

    def within(self, block: list[tuple]) -> list[tuple]:
        """Returns the (source ids, target ids, line) that are written."""
        lengths = np.array([(len(source), len(target)) for source, target, _ in block]) + 1
        lines = np.array([line for *_, line in block])
        longer, shorter = lengths.max(axis=1), lengths.min(axis=1)
        is_uneven = longer > self.max_length_ratio * shorter
        self.uneven = self.uneven.with_lines(lines[is_uneven])
        is_kept = ~is_uneven if self.drops_uneven else np.ones(len(block), dtype=bool)
        is_long = is_kept & (longer > self.max_length)
        self.long = self.long.with_lines(lines[is_long])
        self._longest = max(self._longest, longer[is_long].max(initial=0))
        return list(itertools.compress(block, is_kept & ~is_long))

    def check(self, pairs: int, on_long: str) -> None:
        """Raises InputError if a pair is too long and `on_long="error"`, or no pair is left."""
        count = self.long.count
        if count and on_long == "error":
            raise InputError(
                f"Expected at most {self.max_length} tokens a sentence (end included). Received: "
                f"{count} pairs with more, the longest of {self._longest}, the first on line "
                f"{self.long.first_lines[0]}"
            )
        if not pairs:
            uneven = f", {self.uneven.count} uneven ones" if self.drops_uneven else ""
            raise InputError(
                f"Expected at least one pair of at most {self.max_length} tokens a sentence. "
                f"Received: {count} longer pairs{uneven} and no other"
            )


def _check_choice(name: str, value: str, choices: tuple[str, str]) -> None:
    if value not in choices:
        raise ValueError(
            f"Argument `{name}` must be {choices[0]!r} or {choices[1]!r}. Received: {value!r}"
        )


class SideWriter:
    """Writes the ids, lengths and offsets of one side of a corpus.

    Args:
        directory: where to write.
        side: `"source"` or `"target"`, the prefix of the files' names.
        vocabulary_size: ids are below it. Up to 65,536 an id takes two bytes, else four.
        max_length: maximum length of a sequence. Below 65,536 a length takes two bytes, else four.
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
        ids = np.fromiter(itertools.chain.from_iterable(sequences), dtype=np.int64, count=total)
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
        """Writes the `.npy` files, after the writer was closed."""
        self._ids.finish()
        self._lengths.finish()
        lengths = np.load(self._lengths.path, mmap_mode="r", allow_pickle=False)
        np.save(self._offsets_path, _offsets(lengths))


def _offsets(lengths: np.ndarray) -> np.ndarray:
    """Offset of every sentence whose index is a multiple of `OFFSET_STEP`; the total is last."""
    sums = [np.zeros(1, dtype=np.int64)]
    for start in range(0, len(lengths), _CHUNK):
        chunk = lengths[start : start + _CHUNK].astype(np.int64)
        sums.append(np.add.reduceat(chunk, np.arange(0, len(chunk), OFFSET_STEP)))
    return np.cumsum(np.concatenate(sums))


class ArrayWriter:
    """Writes a vector to an `.npy` file, part by part.

    Args:
        path: the file, which `finish` writes.
        dtype: data type of its values.
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
        """Writes the `.npy` file, after the writer was closed."""
        # The header contains the length, which is known only now.
        header = {"descr": self.dtype.str, "fortran_order": False, "shape": (self.count,)}
        raw = Path(self._file.name)
        with open(raw, "rb") as source, open(self.path, "wb") as file:
            np.lib.format.write_array_header_1_0(file, header)
            shutil.copyfileobj(source, file, 1 << 20)
        raw.unlink()
