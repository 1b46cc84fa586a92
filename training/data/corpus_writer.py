"""Writes a tokenized corpus to disk."""

import itertools
import json
import math
import os
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
    SIDES,
    ArrayWriter,
    Outliers,
    SideWriter,
    TokenizedCorpus,
)


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
    """Writes a corpus and opens it. Memory holds some thousand pairs at a time.

    Args:
        directory: where to write. It must be absent or empty, and appears when it is whole.
        encoded_pairs: (source ids, target ids) without start and end tokens.
        end_id: id of the end token.
        max_length: most tokens that a side may have, its end token included.
        vocabulary_size: ids are below it. Up to 65,536 an id takes two bytes, else four.
        on_long: what to do with longer pairs, `"error"` or `"drop"`.
        max_length_ratio: how many times as long as the other a side may be at most, the end tokens
            included in both.
        on_uneven: what to do with pairs beyond that, `"keep"` or `"drop"`. Those that are dropped
            do not count as long.
        line_numbers: line number of each pair. Defaults to 1, 2, 3, ...

    Returns:
        The `TokenizedCorpus`.

    Raises:
        InputError: if the directory is not empty, no pair is left, or pairs are too long and
            `on_long="error"`.
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
            # The pairs come first: where they end, no line number is taken in vain.
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
    """Sorts out the pairs beyond the limits, and counts them."""

    def __init__(self, max_length: int, max_length_ratio: float, drops_uneven: bool) -> None:
        self.max_length, self.max_length_ratio = max_length, max_length_ratio
        self.drops_uneven = drops_uneven
        self.long, self.uneven = Outliers(0, ()), Outliers(0, ())
        self._longest = 0

    def within(self, block: list[tuple]) -> list[tuple]:
        """The (source ids, target ids, line) that are written."""
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
        """Raises InputError if pairs are too long that must not be, or no pair is left."""
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
