"""Word-aligned phrases: each Spanish word keeps the English words that it renders."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from keras_bahdanau.training.corpora.built_in import AlignedPair

_OPENING = {"?": "¿", "!": "¡"}
_CONSONANT_SOUND = ("uni", "use", "euro", "one")


class Word:
    """One English word at one place in a sentence: equal only to itself."""

    __slots__ = ("text",)

    def __init__(self, text: str):
        self.text = text

    def __repr__(self) -> str:
        return f"Word({self.text!r})"


@dataclass(frozen=True)
class Rendering:
    """One Spanish word and the English words that it renders."""

    text: str
    origins: tuple[Word, ...] = ()


@dataclass(frozen=True)
class Phrase:
    """A constituent: its English words in English order, its Spanish words in Spanish order."""

    english: tuple[Word, ...] = ()
    spanish: tuple[Rendering, ...] = ()

    def __add__(self, other: "Phrase") -> "Phrase":
        return Phrase(self.english + other.english, self.spanish + other.spanish)


EMPTY = Phrase()


def pair(english: str, spanish: str, links: str | None = None) -> Phrase:
    """A fixed phrase, for example ``pair("every day", "todos los días", "0-0 0-1 1-2")``.

    Args:
        english: words separated by spaces.
        spanish: words separated by spaces.
        links: `source-target` indices. Without it, phrases of the same length are linked word
            by word, and a single word is linked to all the words of the other side.

    Raises:
        ValueError: the lengths differ, both exceed one, and there are no links.
    """
    sources = tuple(Word(text) for text in english.split())
    targets = spanish.split()
    if links is not None:
        linked = [tuple(map(int, link.split("-"))) for link in links.split()]
    elif len(sources) == len(targets):
        linked = [(index, index) for index in range(len(sources))]
    elif 1 in (len(sources), len(targets)):
        linked = [(i, j) for i in range(len(sources)) for j in range(len(targets))]
    else:
        raise ValueError(
            "Argument `links` must be given for phrases of several words and different "
            f"lengths. Received: english={english!r}, spanish={spanish!r}"
        )
    renderings = tuple(
        Rendering(text, tuple(sources[i] for i, target in linked if target == j))
        for j, text in enumerate(targets)
    )
    return Phrase(sources, renderings)


def arrange(english: Iterable[Phrase], spanish: Iterable[Phrase]) -> Phrase:
    """Puts constituents in one order in English and in another in Spanish."""
    return Phrase(
        tuple(word for part in english for word in part.english),
        tuple(rendering for part in spanish for rendering in part.spanish),
    )


def spanish_only(text: str, *origins: Word) -> Phrase:
    """Spanish words without English words of their own."""
    return Phrase((), tuple(Rendering(word, origins) for word in text.split()))


def sentence(phrase: Phrase, mark: str = ".") -> AlignedPair:
    """Finishes a sentence: marks, capitals, a/an, al/del, and "y" and "o" before their sound.

    Args:
        phrase: the whole sentence without its final mark.
        mark: ".", "?" or "!". The Spanish opening mark belongs to the English closing one.
    """
    end = Word(mark)
    sources = (*phrase.english, end)
    opening = (Rendering(_OPENING[mark], (end,)),) if mark in _OPENING else ()
    targets = [*opening, *_spanish_sounds(phrase.spanish), Rendering(mark, (end,))]
    position = {word: index for index, word in enumerate(sources)}
    alignment = {
        (position[origin], index)
        for index, target in enumerate(targets)
        for origin in target.origins
    }
    english = [
        "an" if word.text == "a" and _starts_with_vowel(following.text) else word.text
        for word, following in zip(sources, sources[1:], strict=False)
    ]
    spanish = [target.text for target in targets]
    english[0] = _capitalised(english[0])
    spanish[len(opening)] = _capitalised(spanish[len(opening)])
    return AlignedPair(_text_of([*english, mark]), _text_of(spanish), tuple(sorted(alignment)))


def _capitalised(word: str) -> str:
    return word[:1].upper() + word[1:]


def _starts_with_vowel(word: str) -> bool:
    return word[0].lower() in "aeiou" and not word.lower().startswith(_CONSONANT_SOUND)


def _spanish_sounds(renderings: Iterable[Rendering]) -> list[Rendering]:
    """Merges "a el" and "de el", and turns "y" and "o" into "e" and "u" before that sound."""
    result: list[Rendering] = []
    for rendering in renderings:
        before = result[-1] if result else Rendering("")
        start = rendering.text.lower().removeprefix("h")
        if rendering.text == "el" and before.text in ("a", "de"):
            contracted = {"a": "al", "de": "del"}[before.text]
            result[-1] = Rendering(contracted, before.origins + rendering.origins)
            continue
        if before.text == "y" and start.startswith(("i", "í")):
            result[-1] = Rendering("e", before.origins)
        if before.text == "o" and start.startswith(("o", "ó")):
            result[-1] = Rendering("u", before.origins)
        result.append(rendering)
    return result


def _text_of(sentence_words: Sequence[str]) -> str:
    """The inverse of `words`: closing marks follow the word before, opening marks the next."""
    text = ""
    for word in sentence_words:
        glued = not text or word in "?!.," or text[-1] in "¿¡"
        text += word if glued else " " + word
    return text
