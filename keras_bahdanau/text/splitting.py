"""Splits a long text at sentence ends, then spaces, never inside a grapheme cluster."""

import bisect
import re
import unicodedata
from collections.abc import Callable, Sequence

_CLOSING = "[\"'\u201d\u2019\u00bb\u203a)\\]}\u300d\u300f\uff09\u3011\u300b\u3009\uff02]*"
_SENTENCE_END = re.compile(
    # Not after a single letter or digit: "J. Smith", "e.g. this", "3. Oktober".
    rf"(?:(?:(?<!\b\w)\.|[!?\u2026\u061f\u06d4\u0964\u0965])[.!?\u2026\u061f]*{_CLOSING}(?=\s)"
    # The full stops of Chinese and Japanese need no space after them.
    rf"|[\u3002\uff01\uff1f\uff61]+{_CLOSING}"
    r"|\n+)"
)


def split_text(text: str, measure: Callable[[str], int], limit: int) -> list[str]:
    """Splits `text` into parts that each measure at most `limit`.

    Each part takes as many whole sentences as fit. A sentence over the limit is split at spaces,
    a word over the limit between grapheme clusters (a letter stays with its accents, an emoji
    whole), a cluster over the limit between code points. The parts joined are the text, except
    for white space.

    Args:
        text: the text. If it fits, it is returned unchanged.
        measure: function that returns the length of a text in the unit of `limit`, for example
            its number of tokens. It should not decrease when a text grows; where it does by a
            little, parts still respect the limit. It is called about 20 times per part, on texts
            of about a part's length, and once on the whole text.
        limit: positive int, the largest measure of a part. Only a single code point may exceed
            it.

    Returns:
        The parts, none of them blank: an empty list for a blank text.

    Raises:
        ValueError: `limit` is below 1.
    """
    if limit < 1:
        raise ValueError(f"Argument `limit` must be a positive integer. Received: limit={limit}")
    if not text.strip():
        return []
    if measure(text) <= limit:
        return [text]
    return _Splitter(text, measure, limit).parts()


class _Splitter:
    """Sorted offsets at which one text may be split: sentences, spaces and clusters."""

    def __init__(self, text: str, measure: Callable[[str], int], limit: int):
        self.text = text
        self.measure = measure
        self.limit = limit
        self.ends = cluster_ends(text)
        starts = [0, *self.ends[:-1]]
        # A cluster of a space and a combining mark is not white space.
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
        # A space split from its combining mark leaves a blank part.
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
            # A whole word can have fewer tokens than its beginning, so one cut more is tried,
            # unless it is too far away to be worth measuring.
            if index < len(cuts) and cuts[index] - start <= 2 * (reach - start) + 32:
                index += 1
            while index and cuts[index - 1] > start:
                if self.fits(start, cuts[index - 1]):
                    return cuts[index - 1]
                index -= 1
        return reach

    def reach(self, start: int, ends: Sequence[int]) -> int | None:
        """The last of `ends` up to which the text from `start` fits, `None` if none does.

        Galloping, then binary search.
        """
        first = bisect.bisect_right(ends, start)
        low, high = first - 1, len(ends)  # It fits up to `ends[low]`, not up to `ends[high]`.
        # A token is hardly ever shorter than a character, so the first step mostly fits.
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


_JOINER = "\u200d"
# Extend the previous character although their category is not a mark: the zero-width non-joiner
# and joiner, the half-width voicing marks of Japanese, and the vowels am of Thai and Lao.
_EXTENDERS = frozenset("\u200c\u200d\uff9e\uff9f\u0e33\u0eb3")
_VIRAMA_CLASS = 9


def cluster_ends(text: str) -> list[int]:
    """Returns the end offset of each grapheme cluster of `text`, ascending.

    Follows the rules of Unicode Standard Annex 29 as far as `unicodedata` has the properties:
    combining marks, joined emoji, skin tones, variation selectors, flags (pairs of regional
    indicators), emoji tags, Hangul jamo and Indic conjuncts are not split.
    """
    ends = []
    flags = 0
    for index in range(1, len(text)):
        previous, current = text[index - 1], text[index]
        flags = flags + 1 if _is_regional_indicator(previous) else 0
        if current.isascii() and previous.isascii():
            together = previous == "\r" and current == "\n"
        else:
            together = _extends(current) or _joins(previous, current, flags)
        if not together:
            ends.append(index)
    if text:
        ends.append(len(text))
    return ends


def _extends(character: str) -> bool:
    return (
        unicodedata.category(character) in ("Mn", "Mc", "Me")
        or character in _EXTENDERS
        or "\U0001f3fb" <= character <= "\U0001f3ff"  # skin tones
        or "\U000e0020" <= character <= "\U000e007f"  # tags
    )


def _joins(previous: str, current: str, flags: int) -> bool:
    if previous == _JOINER:
        return not current.isspace()
    if _is_regional_indicator(current):
        return flags % 2 == 1
    if unicodedata.combining(previous) == _VIRAMA_CLASS:
        return current.isalpha()
    if _is_leading_jamo(previous):
        return _is_leading_jamo(current) or _is_inner_jamo(current) or _is_syllable(current)
    if _is_inner_jamo(current):
        return _is_inner_jamo(previous) or _is_syllable(previous)
    return False


def _is_regional_indicator(character: str) -> bool:
    return "\U0001f1e6" <= character <= "\U0001f1ff"


def _is_leading_jamo(character: str) -> bool:
    return "\u1100" <= character <= "\u115f" or "\ua960" <= character <= "\ua97c"


def _is_inner_jamo(character: str) -> bool:
    return "\u1160" <= character <= "\u11ff" or "\ud7b0" <= character <= "\ud7fb"


def _is_syllable(character: str) -> bool:
    return "\uac00" <= character <= "\ud7a3"
