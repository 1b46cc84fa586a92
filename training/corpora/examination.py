"""Examination of parallel text: blank sides, duplicates, scripts, overlap with held-out sets.

`examine` finds them in one pass and in bounded memory. Below it are what it is made of: the overlap
with held-out sets, the Unicode script of a line, and the search for duplicates by hashes on disk.
"""

import enum
import functools
import hashlib
import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from typing import NamedTuple

import numpy as np
from fontTools import unicodedata

from .parallel_text import blocks

NO_SCRIPT = 0
# Values of a temporary array that are read at a time.
CHUNK = 1 << 20
# Hashes that are sorted at a time: about 100 MB.
HASHES_PER_PASS = 1 << 21


class Finding(enum.IntFlag):
    """Flags of a pair. `BLANK` stands alone; others may be combined."""

    BLANK = enum.auto()
    REPEATED_PAIR = enum.auto()
    REPEATED_SOURCE = enum.auto()
    COPY = enum.auto()
    SOURCE_SCRIPT = enum.auto()
    TARGET_SCRIPT = enum.auto()
    SOURCE_IN_VALIDATION = enum.auto()
    PAIR_IN_VALIDATION = enum.auto()
    SOURCE_IN_TEST = enum.auto()
    PAIR_IN_TEST = enum.auto()


class Examination(NamedTuple):
    """Result of `examine`.

    Attributes:
        findings: uint16 array `(pairs,)`, the `Finding` flags of each pair.
        source_script: name of the script of most source lines, "" if none has letters.
        target_script: the same for the target lines.
        held_out: for `"validation"` and `"test"`, the number of pairs whose source is also the
            source of a training pair.
    """

    findings: np.ndarray
    source_script: str
    target_script: str
    held_out: dict[str, int]


def examine(
    pairs: Iterable[tuple[str, str]],
    held_out: Mapping[str, list[tuple[str, str]]],
    directory: str | os.PathLike,
) -> Examination:
    """Examines training pairs in one pass. Memory holds two bytes for each pair.

    Duplicates are found by 64-bit hashes, in temporary files of 16 bytes for each pair: among 50
    million pairs, the probability of a false duplicate is below 1 in 10,000. White space and case
    make a difference, except in the comparison with held-out pairs (and, for white space around a
    text, in the comparison of the two sides).

    Args:
        pairs: (source, target) texts in the order of their lines.
        held_out: the pairs of `"validation"` and `"test"`.
        directory: directory for temporary files.

    Returns:
        `Examination`.
    """
    with ExitStack() as stack:
        is_blank, flags, source_hashes, pair_hashes, *scripts = (
            stack.enter_context(TemporaryArray(dtype, directory))
            for dtype in ("?", "<u2", "<u8", "<u8", "u1", "u1")
        )
        overlaps = [_Overlap(name, held_out[name]) for name in ("validation", "test")]
        for block in blocks(pairs):
            blank = [not (source.strip() and target.strip()) for source, target in block]
            is_blank.append(blank)
            texts = [
                pair for pair, is_left_out in zip(block, blank, strict=True) if not is_left_out
            ]
            if not texts:
                continue
            sources, targets = zip(*texts, strict=True)
            flags.append([_flags(source, target, overlaps) for source, target in texts])
            hashes = np.frombuffer(b"".join(_hashes(*pair) for pair in texts), dtype="<u8")
            source_hashes.append(hashes[0::2])
            pair_hashes.append(hashes[1::2])
            scripts[0].append(scripts_of(sources))
            scripts[1].append(scripts_of(targets))
        found = flags.read()
        _flag_duplicates(found, source_hashes, pair_hashes)
        names = [
            _flag_other_scripts(found, side, flag)
            for side, flag in zip(
                scripts, (Finding.SOURCE_SCRIPT, Finding.TARGET_SCRIPT), strict=True
            )
        ]
        findings = np.full(is_blank.count, Finding.BLANK, dtype=np.uint16)
        findings[~is_blank.read()] = found
    return Examination(findings, *names, {each.name: each.count() for each in overlaps})


class _Overlap:
    """Training pairs that are also in a held-out set, case and white space aside."""

    def __init__(self, name: str, pairs: list[tuple[str, str]]) -> None:
        self._source_flag = Finding[f"SOURCE_IN_{name.upper()}"]
        self._pair_flag = Finding[f"PAIR_IN_{name.upper()}"]
        self.name = name
        self._sources = [_key(source) for source, _ in pairs]
        self._pairs = {(_key(source), _key(target)) for source, target in pairs}
        self._is_found = dict.fromkeys(self._sources, False)

    def flags(self, source_key: str, target: str) -> int:
        if source_key not in self._is_found:
            return 0
        self._is_found[source_key] = True
        is_pair = (source_key, _key(target)) in self._pairs
        return self._source_flag | (self._pair_flag if is_pair else 0)

    def count(self) -> int:
        return sum(self._is_found[source] for source in self._sources)


def _flags(source, target, overlaps):
    flags = int(Finding.COPY) if source.strip() == target.strip() else 0
    key = _key(source)
    for overlap in overlaps:
        flags |= overlap.flags(key, target)
    return flags


def _key(text: str) -> str:
    return " ".join(text.casefold().split())


def _hashes(source: str, target: str) -> bytes:
    """The hash of the source, then that of the pair: 8 bytes each."""
    digest = hashlib.blake2b(source.encode(), digest_size=8)
    source_hash = digest.digest()
    # A separator that never occurs in UTF-8, so that different pairs have different bytes.
    digest.update(b"\xff" + target.encode())
    return source_hash + digest.digest()


def _flag_duplicates(found, source_hashes, pair_hashes):
    is_duplicate = find_duplicates(pair_hashes)
    found[is_duplicate] |= np.uint16(Finding.REPEATED_PAIR)
    found[find_duplicates(source_hashes) & ~is_duplicate] |= np.uint16(Finding.REPEATED_SOURCE)


def _flag_other_scripts(found, scripts, flag):
    """Flags the lines that are not in the script of most lines, and returns its name."""
    lines = np.zeros(256, dtype=np.int64)
    for _, values in scripts.chunks():
        lines += np.bincount(values, minlength=256)
    lines[NO_SCRIPT] = 0
    most = int(lines.argmax())
    for where, values in scripts.chunks():
        found[where][(values != most) & (values != NO_SCRIPT)] |= np.uint16(flag)
    return script_name(most) if lines[most] else ""


def scripts_of(lines: Sequence[str]) -> np.ndarray:
    """Returns the Unicode script of more than half of the letters of each line.

    Letters are the characters with a script of their own; digits, punctuation and symbols are
    common to all scripts and do not count. Han, hiragana and katakana are one script here.

    Args:
        lines: the texts.

    Returns:
        uint8 array `(lines,)`: arguments of `script_name`; `NO_SCRIPT` for a line without letters
        or without such a script.
    """
    codes, script_of = _tables()
    points = np.frombuffer("".join(lines).encode("utf-32-le", "surrogatepass"), dtype="<u4")
    scripts = script_of[points]
    line_of = np.repeat(np.arange(len(lines)), [len(line) for line in lines])
    is_letter = scripts != NO_SCRIPT
    cells = line_of[is_letter] * len(codes) + scripts[is_letter]
    counts = np.bincount(cells, minlength=len(lines) * len(codes)).reshape(len(lines), len(codes))
    most = counts.argmax(axis=1)
    is_majority = 2 * counts[np.arange(len(lines)), most] > counts.sum(axis=1)
    return np.where(is_majority, most, NO_SCRIPT).astype(np.uint8)


def script_name(script: int) -> str:
    """Returns the name of a script that `scripts_of` found, such as "Latin"."""
    code = _tables()[0][script]
    return "Han and kana" if code == "Hani" else unicodedata.script_name(code).replace("_", " ")


# Japanese text mixes all of these.
_MERGED = {"Hira": "Hani", "Kana": "Hani", "Bopo": "Hani"}
# Common, inherited and unknown: digits, punctuation, accents, emoji.
_COMMON = {"Zyyy", "Zinh", "Zzzz"}


@functools.cache
def _tables() -> tuple[list[str], np.ndarray]:
    """The codes of all scripts, and for each code point the index of its script."""
    ranges, values = unicodedata.Scripts.RANGES, unicodedata.Scripts.VALUES
    values = [_MERGED.get(value, value) for value in values]
    codes = ["", *sorted(set(values) - _COMMON)]
    index_of = {code: index for index, code in enumerate(codes)}
    script_of = np.zeros(0x110000, dtype=np.uint8)
    for start, stop, value in zip(ranges, [*ranges[1:], 0x110000], values, strict=True):
        script_of[start:stop] = index_of.get(value, NO_SCRIPT)
    return codes, script_of


def find_duplicates(hashes: "TemporaryArray", hashes_per_pass: int = HASHES_PER_PASS) -> np.ndarray:
    """Finds the pairs with the hash of an earlier pair, by sorting in several passes.

    Each pass reads all hashes and sorts those of one range of values.

    Args:
        hashes: uint64 hashes, uniformly distributed.
        hashes_per_pass: about how many to sort at a time.

    Returns:
        bool array `(pairs,)`: whether it is a duplicate; the first of equal ones is not.
    """
    is_duplicate = np.zeros(hashes.count, dtype=bool)
    ranges = -(-hashes.count // hashes_per_pass)
    for number in range(ranges):
        found = []
        for where, values in hashes.chunks():
            (positions,) = np.nonzero((values >> 32) * np.uint64(ranges) >> 32 == number)
            found.append((values[positions], positions + where.start))
        values, positions = (np.concatenate(parts) for parts in zip(*found, strict=True))
        # Stable: equal hashes stay in the order of their pairs.
        order = np.argsort(values, kind="stable")
        values = values[order]
        is_duplicate[positions[order[1:]][values[1:] == values[:-1]]] = True
    return is_duplicate


class TemporaryArray:
    """A vector in a temporary file: appended to, then read in chunks any number of times.

    On Unix the file has no name, so nothing is left of it when the process is killed.

    Args:
        dtype: data type of the values.
        directory: directory of the temporary file.
    """

    def __init__(self, dtype: str, directory: str | os.PathLike) -> None:
        self.dtype = np.dtype(dtype)
        self.count = 0
        self._file = tempfile.TemporaryFile(dir=directory)

    def append(self, values: Sequence) -> None:
        """Appends values."""
        self._file.write(np.asarray(values, dtype=self.dtype).tobytes())
        self.count += len(values)

    def chunks(self) -> Iterator[tuple[slice, np.ndarray]]:
        """Yields the values in order, each chunk with its slice of indices."""
        self._file.seek(0)
        for start in range(0, self.count, CHUNK):
            stop = min(start + CHUNK, self.count)
            data = self._file.read((stop - start) * self.dtype.itemsize)
            yield slice(start, stop), np.frombuffer(data, dtype=self.dtype)

    def read(self) -> np.ndarray:
        """Returns all values."""
        values = np.empty(self.count, dtype=self.dtype)
        for where, chunk in self.chunks():
            values[where] = chunk
        return values

    def __enter__(self) -> "TemporaryArray":
        return self

    def __exit__(self, *error) -> None:
        self._file.close()
