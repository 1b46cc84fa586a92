"""A sentence pair with its gold word alignment, and the words that the alignment counts."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

_WORD = re.compile(r"[¿?¡!.,]|[^\s¿?¡!.,]+")


@dataclass(frozen=True)
class AlignedPair:
    """One English sentence, its Spanish translation, and which word renders which.

    `alignment` holds `(source_index, target_index)` pairs, 0-based over `words(source)` and
    `words(target)`, sorted and without repetition. A word that stands for several has several
    pairs; a word that only grammar demands (the Spanish personal "a") may have none.
    """

    source: str
    target: str
    alignment: tuple[tuple[int, int], ...]


def words(text: str) -> list[str]:
    """The words of a sentence of the corpus.

    Text is split at spaces, and each of `¿ ? ¡ ! . ,` is a word of its own. An apostrophe or a
    hyphen stays inside its word: "don't", "o'clock", "sister's" and "twenty-one" are one word
    each.
    """
    return _WORD.findall(text)


def text_of(sentence_words: Sequence[str]) -> str:
    """The inverse of `words`: closing marks follow the word before, opening marks the next."""
    text = ""
    for word in sentence_words:
        glued = not text or word in "?!.," or text[-1] in "¿¡"
        text += word if glued else " " + word
    return text
