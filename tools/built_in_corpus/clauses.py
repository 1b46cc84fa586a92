"""Clauses: word order of subject, verb and complements in each language."""

from .conjugation import command
from .noun_phrases import NounPhrase
from .phrase import EMPTY, Phrase, Rendering, Word, arrange, pair
from .verb_groups import VerbGroup
from .verbs import Verb

_NOT_BARE = frozenset(
    "el la los las un una unos unas este esta estos estas ese esa esos esas otro otra mi mis tu "
    "tus su sus nuestro nuestra nuestros nuestras a en de con por al "
    "cerca lejos delante detrás debajo".split()
)


def comma() -> Phrase:
    """A comma in both languages."""
    return pair(",", ",")


def statement(
    subject: NounPhrase, group: VerbGroup, *complements: Phrase, first: Phrase = EMPTY
) -> Phrase:
    """Subject, verb, complements; `first` opens the clause in both languages."""
    said = subject.phrase
    return arrange(
        (first, said, group.auxiliary, group.middle, group.rest, *complements, group.last),
        (first, said, group.spanish, *complements),
    )


def question(
    subject: NounPhrase,
    group: VerbGroup,
    *complements: Phrase,
    asked: Phrase = EMPTY,
    predicate: Phrase = EMPTY,
) -> Phrase:
    """English puts the subject after the auxiliary, Spanish after all its verbs.

    Args:
        subject: of the clause.
        group: its verb, built with `question=True`.
        complements: follow the subject in both languages, but a first one without determiner
            or preposition comes before it in Spanish: "¿Bebe leche la niña?".
        asked: the question word or phrase, first in both languages.
        predicate: what "to be" says: after the subject in English, before it in Spanish.
    """
    said, auxiliary, end = subject.phrase, group.auxiliary, group.last
    english = (asked, auxiliary, said, group.middle, group.rest, predicate, *complements, end)
    count = 1 if complements and _is_bare(complements[0]) else 0
    before, after = complements[:count], complements[count:]
    return arrange(english, (asked, group.spanish, predicate, *before, said, *after))


def order(verb: Verb, *complements: Phrase, negative: bool = False) -> Phrase:
    """An imperative, second person singular: "Open the door", "Don't open the door"."""
    spoken = verb.english("base")
    form = command(verb.spanish, negative)
    no: tuple[Rendering, ...] = ()
    english = spoken
    if negative:
        word = Word("don't")
        english, no = (word, *spoken), (Rendering("no", (word,)),)
    extra = tuple(Rendering(text, spoken) for text in verb.spanish_extra.split())
    head = Phrase(english, (*no, Rendering(form, spoken), *extra))
    return arrange((head, *complements), (head, *complements))


def _is_bare(complement: Phrase) -> bool:
    return bool(complement.spanish) and complement.spanish[0].text not in _NOT_BARE
