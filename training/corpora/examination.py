"""Examines parallel text: repeated pairs, scripts, lengths, in bounded memory."""

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


class Finding(enum.IntFlag):
    """What can be wrong with a pair; several things can. A pair with a blank side is only that."""

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
    """What `examine` found.

    Attributes:
        findings: uint16 array `(pairs,)`, the `Finding` flags of each pair.
        source_script: name of the script of most source lines ("" where none has letters).
        target_script: the same of the target lines.
        held_out: for `"validation"` and `"test"`, how many of its pairs have a source that is
            among the training pairs.
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
    """Examines training pairs in one pass. Two bytes a pair stay in memory.

    Repeated texts are known by 64-bit hashes, of which temporary files hold 16 bytes a pair: among
    50 million pairs, the chance that one is taken for a repetition and is none is below 1 in
    10,000. White space and case make a difference, except in the comparisons with the pairs held
    out and where a side is a copy of the other (white space around it aside).

    Args:
        pairs: (source, target) in the order of their lines.
        held_out: the pairs of `"validation"` and `"test"`.
        directory: where the temporary files are made.

    Returns:
        `Examination`.
    """
    with ExitStack() as stack:
        is_blank, flags, source_hashes, pair_hashes, *scripts = (
            stack.enter_context(Column(dtype, directory))
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
        _mark_repetitions(found, source_hashes, pair_hashes)
        names = [
            _mark_other_scripts(found, column, flag)
            for column, flag in zip(
                scripts, (Finding.SOURCE_SCRIPT, Finding.TARGET_SCRIPT), strict=True
            )
        ]
        findings = np.full(is_blank.count, Finding.BLANK, dtype=np.uint16)
        findings[~is_blank.read()] = found
    return Examination(findings, *names, {each.name: each.count() for each in overlaps})


class _Overlap:
    """Which training pairs stand in a held-out set too, case and white space aside."""

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
    """The hash of the source and that of the pair."""
    digest = hashlib.blake2b(source.encode(), digest_size=8)
    source_hash = digest.digest()
    # A byte that UTF-8 never has, so that no other pair has the same bytes.
    digest.update(b"\xff" + target.encode())
    return source_hash + digest.digest()


def _mark_repetitions(found, source_hashes, pair_hashes):
    is_repeated = repeated(pair_hashes)
    found[is_repeated] |= np.uint16(Finding.REPEATED_PAIR)
    found[repeated(source_hashes) & ~is_repeated] |= np.uint16(Finding.REPEATED_SOURCE)


def _mark_other_scripts(found, scripts, flag):
    lines = np.zeros(256, dtype=np.int64)
    for _, values in scripts.chunks():
        lines += np.bincount(values, minlength=256)
    lines[NO_SCRIPT] = 0
    most = int(lines.argmax())
    for where, values in scripts.chunks():
        found[where][(values != most) & (values != NO_SCRIPT)] |= np.uint16(flag)
    return script_name(most) if lines[most] else ""


NO_SCRIPT = 0
# Japanese is written in all of these at once.
_TOGETHER = {"Hira": "Hani", "Kana": "Hani", "Bopo": "Hani"}
# Common, inherited and unknown: digits, punctuation, accents, emoji.
_SHARED = {"Zyyy", "Zinh", "Zzzz"}


def scripts_of(lines: Sequence[str]) -> np.ndarray:
    """Returns the script that more than half of the letters of each line belong to.

    Letters are the characters of which Unicode says one script; digits, punctuation and symbols
    belong to all and do not count. Han characters and both kana are one script here.

    Args:
        lines: the texts.

    Returns:
        uint8 array `(lines,)`: numbers that `script_name` knows, `NO_SCRIPT` for a line without
        letters or without such a script.
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
    """The name of a number that `scripts_of` returned, such as "Latin"."""
    code = _tables()[0][script]
    return "Han and kana" if code == "Hani" else unicodedata.script_name(code).replace("_", " ")


@functools.cache
def _tables() -> tuple[list[str], np.ndarray]:
    """The codes of all scripts, and for each code point the position of its script's code."""
    ranges, values = unicodedata.Scripts.RANGES, unicodedata.Scripts.VALUES
    values = [_TOGETHER.get(value, value) for value in values]
    codes = ["", *sorted(set(values) - _SHARED)]
    position = {code: number for number, code in enumerate(codes)}
    script_of = np.zeros(0x110000, dtype=np.uint8)
    for start, stop, value in zip(ranges, [*ranges[1:], 0x110000], values, strict=True):
        script_of[start:stop] = position.get(value, NO_SCRIPT)
    return codes, script_of


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
