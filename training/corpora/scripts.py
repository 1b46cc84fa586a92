"""In which script lines are written, from the Unicode Character Database."""

import functools
from collections.abc import Sequence

import numpy as np
from fontTools import unicodedata

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
