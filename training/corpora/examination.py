"""What is wrong with the pairs of a corpus, pair by pair, found without holding the text."""

import enum
import hashlib
import os
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from typing import NamedTuple

import numpy as np

from keras_bahdanau.training.corpora.parallel_text import blocks
from keras_bahdanau.training.corpora.scratch import Column, repeated
from keras_bahdanau.training.corpora.scripts import NO_SCRIPT, script_name, scripts_of


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
