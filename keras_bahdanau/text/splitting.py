"""Cuts a text that is too long for a model, as far as possible between its sentences."""

import bisect
import re
from collections.abc import Callable, Sequence

from keras_bahdanau.text.clusters import cluster_ends

_CLOSING = "[\"'\u201d\u2019\u00bb\u203a)\\]}\u300d\u300f\uff09\u3011\u300b\u3009\uff02]*"
_SENTENCE_END = re.compile(
    # Not after a single letter or digit: "J. Smith", "e.g. this", "3. Oktober".
    rf"(?:(?:(?<!\b\w)\.|[!?\u2026\u061f\u06d4\u0964\u0965])[.!?\u2026\u061f]*{_CLOSING}(?=\s)"
    # The full stops of Chinese and Japanese need no space after them.
    rf"|[\u3002\uff01\uff1f\uff61]+{_CLOSING}"
    r"|\n+)"
)


def split_text(text: str, measure: Callable[[str], int], limit: int) -> list[str]:
    """Cuts `text` into parts that each measure at most `limit`.

    Each part takes as many whole sentences as fit. A sentence that is too long alone is cut at
    spaces, a word that is too long alone between characters, and never between a letter and its
    accents or inside an emoji unless that one is too long alone. The parts in their order are the
    text, but for white space.

    Args:
        text: the text. One that fits is returned as it is.
        measure: returns the length of a text in the unit of `limit`, for example its number of
            pieces with the end token. It should not shrink when a text grows; where it does by a
            little, parts still respect the limit. It is called about 20 times for each part, on
            texts of about a part's size, and once on the whole.
        limit: what a part may measure. Only a part of one code point may exceed it.

    Returns:
        The parts, none of them blank: an empty list for a blank text.
    """
    if limit < 1:
        raise ValueError(f"Argument `limit` must be a positive integer. Received: limit={limit}")
    if not text.strip():
        return []
    if measure(text) <= limit:
        return [text]
    return _Splitter(text, measure, limit).parts()


class _Splitter:
    """The places where one text may be cut, as sorted lists of offsets into it."""

    def __init__(self, text: str, measure: Callable[[str], int], limit: int):
        self.text = text
        self.measure = measure
        self.limit = limit
        self.ends = cluster_ends(text)
        starts = [0, *self.ends[:-1]]
        # A space that carries an accent is no white space.
        self.space_after = {
            start: end
            for start, end in zip(starts, self.ends, strict=True)
            if text[start:end].isspace()
        }
        cluster_bounds = set(self.ends)
        self.sentence_cuts = [
            match.end() for match in _SENTENCE_END.finditer(text) if match.end() in cluster_bounds
        ]
        self.space_cuts = sorted(self.space_after)
        for cuts in (self.sentence_cuts, self.space_cuts):
            if not cuts or cuts[-1] < len(text):
                cuts.append(len(text))

    def parts(self) -> list[str]:
        parts = []
        start = self.skip_spaces(0)
        while start < len(self.text):
            end = self.part_end(start)
            parts.append(self.text[start:end].rstrip())
            start = self.skip_spaces(end)
        # A space with a mark on it that had to be cut apart leaves a blank part.
        return [part for part in parts if part]

    def skip_spaces(self, start: int) -> int:
        while start in self.space_after:
            start = self.space_after[start]
        return start

    def fits(self, start: int, end: int) -> bool:
        return self.measure(self.text[start:end].rstrip()) <= self.limit

    def part_end(self, start: int) -> int:
        reach = self.reach(start, self.ends)
        if reach is None:
            cluster_end = self.ends[bisect.bisect_right(self.ends, start)]
            return self.reach(start, range(start + 1, cluster_end + 1)) or start + 1
        if reach == len(self.text):
            return reach
        for cuts in (self.sentence_cuts, self.space_cuts):
            index = bisect.bisect_right(cuts, reach)
            # A whole word can have fewer pieces than its beginning, so one cut more is tried,
            # unless it is so far away that measuring up to it would cost more than it could win.
            if index < len(cuts) and cuts[index] - start <= 2 * (reach - start) + 32:
                index += 1
            while index and cuts[index - 1] > start:
                if self.fits(start, cuts[index - 1]):
                    return cuts[index - 1]
                index -= 1
        return reach

    def reach(self, start: int, ends: Sequence[int]) -> int | None:
        """The furthest of `ends` up to which the text from `start` fits, None where none does."""
        first = bisect.bisect_right(ends, start)
        low, high = first - 1, len(ends)  # Up to the end at `low` it fits, at `high` it does not.
        # A piece is hardly ever shorter than a character, so the first step mostly fits.
        step = self.limit
        while (probe := min(low + step, len(ends) - 1)) > low:
            if not self.fits(start, ends[probe]):
                high = probe
                break
            low = probe
            step *= 2
        while high - low > 1:
            middle = (low + high) // 2
            if self.fits(start, ends[middle]):
                low = middle
            else:
                high = middle
        return ends[low] if low >= first else None
