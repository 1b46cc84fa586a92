"""Characters as a reader sees them: a letter with its accents, an emoji with its parts."""

import unicodedata

_JOINER = "\u200d"
# What extends the character before it without being a mark by its category: the non-joiner, the
# joiner, the half-width voicing marks of Japanese, and the vowels am of Thai and Lao.
_EXTENDERS = frozenset("\u200c\u200d\uff9e\uff9f\u0e33\u0eb3")
_VIRAMA_CLASS = 9


def cluster_ends(text: str) -> list[int]:
    """Returns the offsets behind each grapheme cluster of `text`, ascending, the last `len(text)`.

    Follows the rules of Unicode Standard Annex 29 as far as `unicodedata` has their properties:
    combining marks, joined emoji, skin tones, variation selectors, flags (pairs of regional
    indicators), emoji tags, Hangul jamo and Indic conjuncts stay together.
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
