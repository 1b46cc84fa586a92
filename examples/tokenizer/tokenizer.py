"""Text to token ids and back from `tokenizer.json` alone, without SentencePiece.

The specification beside this file (README.md) in plain Python, as a model for ports to other
languages: it needs nothing but the standard library. To try it:

    python tokenizer.py my-model/litert/tokenizer.json "A dog runs."
"""

import base64
import json
import struct
import sys
from array import array
from pathlib import Path

FORMAT, FORMAT_VERSION = "keras-bahdanau-tokenizer", 1
UNKNOWN_SURFACE = " \u2047 "
_SUPPORTED_TYPES = {"normal", "unknown", "control", "unused"}


class Tokenizer:
    """Cuts text into pieces as SentencePiece does with the model that a description is of.

    Args:
        description: dict, the content of a `tokenizer.json`.

    Raises:
        ValueError: the description is of another format, or of a model that this cannot follow.

    Example:

    >>> tokenizer = Tokenizer.load("my-model/litert/tokenizer.json")
    >>> tokenizer.decode(tokenizer.encode("A dog runs."))
    'A dog runs.'
    """

    def __init__(self, description: dict):
        _check(description)
        self._description = description
        self._rules = _Rules(base64.b64decode(description["charsmap"]))
        self._pieces = [piece for piece, _, _ in description["pieces"]]
        self._types = [kind for _, _, kind in description["pieces"]]
        self._unknown_id = self._types.index("unknown")
        self._scores = {}
        for token_id, (piece, score, kind) in enumerate(description["pieces"]):
            if kind == "normal":
                self._scores[piece] = (_float32(score), token_id)
        least = min(score for score, _ in self._scores.values())
        self._unknown_score = _float32(least - 10)
        self._longest = max(map(len, self._scores))

    @classmethod
    def load(cls, path) -> "Tokenizer":
        """Reads a `tokenizer.json`."""
        return cls(json.loads(Path(path).read_text(encoding="utf-8")))

    def normalize(self, text: str) -> str:
        """The text as the pieces see it: rules applied, spaces collapsed and marked."""
        if not text:
            return ""
        collapse = self._description["remove_extra_whitespaces"]
        result = ""
        for part in self._rules.apply(_without_surrogates(text).encode("utf-8")):
            if collapse and (not result or result.endswith(" ")):
                part = part.lstrip(" ")
            result += part
        if self._description["add_dummy_prefix"]:
            result = " " + result
        symbol = " "
        if self._description["escape_whitespaces"]:
            symbol = self._description["space_symbol"]
            result = result.replace(" ", symbol)
        return result.rstrip(symbol) if collapse else result

    def segments(self, text: str) -> list[tuple[str, int]]:
        """Pairs of piece and id. An unknown piece is the text of a run of unknown characters."""
        found = []
        for piece, token_id in self._best_path(self.normalize(text)):
            if token_id == self._unknown_id and found and found[-1][1] == token_id:
                piece = found.pop()[0] + piece
            found.append((piece, token_id))
        return found

    def encode(self, text: str) -> list[int]:
        """Ids of the pieces of a text, without start and end tokens."""
        return [token_id for _, token_id in self.segments(text)]

    def decode(self, token_ids: list[int]) -> str:
        """The text of ids. Control ids are left out, unknown ones are " \u2047 "."""
        symbol = self._description["space_symbol"]
        every = self._description["remove_extra_whitespaces"]
        strips = every or self._description["add_dummy_prefix"]
        text = ""
        for token_id in token_ids:
            piece, kind = self._pieces[token_id], self._types[token_id]
            if kind == "control":
                continue
            if kind == "unknown":
                text += UNKNOWN_SURFACE
                continue
            if strips and not text and piece.startswith(symbol):
                piece, strips = piece[len(symbol) :], every
            text += piece.replace(symbol, " ")
        return text

    def _best_path(self, text):
        best = [(0.0, 0, 0)] + [None] * len(text)  # Total score, start and id of the last piece.
        for start in range(len(text)):
            before = best[start][0]
            candidates = []
            for end in range(start + 1, min(start + self._longest, len(text)) + 1):
                if text[start:end] in self._scores:
                    candidates.append((end, *self._scores[text[start:end]]))
            if not candidates or candidates[0][0] > start + 1:
                candidates.append((start + 1, self._unknown_score, self._unknown_id))
            for end, score, token_id in candidates:
                total = _float32(before + score)
                if best[end] is None or total > best[end][0]:
                    best[end] = (total, start, token_id)
        path, end = [], len(text)
        while end:
            _, start, token_id = best[end]
            path.append((text[start:end], token_id))
            end = start
        return path[::-1]


class _Rules:
    """SentencePiece's compiled rules: a Darts-clone double array and replacement strings."""

    def __init__(self, charsmap):
        self._units, self._replacements = array("L"), b""
        if charsmap:
            (size,) = struct.unpack_from("<I", charsmap)
            if size % 4 or 4 + size >= len(charsmap):
                raise ValueError(f"Expected a whole charsmap. Received: {len(charsmap)} bytes")
            self._units.extend(struct.unpack_from(f"<{size // 4}I", charsmap, 4))
            self._replacements = charsmap[4 + size :]

    def apply(self, data):
        """Yields, from left to right, what each longest match or else character becomes."""
        position = 0
        while position < len(data):
            length, replacement = self._longest_match(data, position)
            if not length:
                length = _character_length(data[position])
                replacement = data[position : position + length]
            yield replacement.decode("utf-8")
            position += length

    def _longest_match(self, data, position):
        units, found = self._units, (0, b"")
        node = _offset(units[0]) if units else 0
        for index in range(position, len(data)):
            node ^= data[index]
            # A unit's label is its lowest byte; bit 31 is set where it is a value.
            if node >= len(units) or units[node] & 0x800000FF != data[index]:
                break
            unit = units[node]
            node ^= _offset(unit)
            if unit >> 8 & 1:
                start = units[node] & 0x7FFFFFFF
                end = self._replacements.index(b"\0", start)
                found = (index + 1 - position, self._replacements[start:end])
        return found


def _offset(unit):
    return unit >> 10 << ((unit & 1 << 9) >> 6)


def _character_length(byte):
    return 1 if byte < 0xC0 else 2 if byte < 0xE0 else 3 if byte < 0xF0 else 4


def _float32(number):
    return array("f", (number,))[0]


def _without_surrogates(text):
    """Pairs of surrogates become their character, lone ones U+FFFD."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _check(description):
    received = {
        key: description.get(key)
        for key in ("format", "format_version", "model_type", "byte_fallback")
    }
    expected = {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "model_type": "unigram",
        "byte_fallback": False,
    }
    if received != expected:
        raise ValueError(f"Expected a tokenizer.json with {expected}. Received: {received}")
    types = {kind for _, _, kind in description["pieces"]}
    if not types <= _SUPPORTED_TYPES:
        raise ValueError(f"Expected pieces of {_SUPPORTED_TYPES}. Received: {types}")


if __name__ == "__main__":
    tokenizer = Tokenizer.load(sys.argv[1])
    for line in sys.argv[2:] or sys.stdin.read().splitlines():
        pairs = tokenizer.segments(line)
        print(*(f"{piece}={token_id}" for piece, token_id in pairs))
