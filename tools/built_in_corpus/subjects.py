"""Sampled noun phrases: subjects and objects of actions."""

from dataclasses import replace

from .adjectives import FAVORITE, ORDINALS, Adjective, adjectives_for
from .draw import Draw
from .noun_phrases import (
    MEN,
    POSSESSIVES,
    WOMEN,
    NounPhrase,
    both,
    genitive,
    name,
    noun_phrase,
    pronoun,
)
from .nouns import Noun, nouns_of
from .phrase import Phrase, Word, pair

_KIN = nouns_of("kin")
_PEOPLE = nouns_of("person", without="kin")
_PETS = nouns_of("pet")
_CLOSED = frozenset(("and", "the", "this", "that", "these", "those", *POSSESSIVES))
_OWNERS = (("my", 6), ("your", 2), ("his", 1), ("her", 1), ("our", 1.5), ("their", 1))
_PRONOUNS = (("I", 5), ("you", 1.5), ("he", 4), ("she", 4), ("we", 4), ("they", 4))


def person(draw: Draw, *, pronouns: str = "all") -> NounPhrase:
    """Somebody, as a subject.

    Args:
        draw: where the choices come from.
        pronouns: "all", "none", "asked" (whom questions are about) or "dropped" (of these,
            the ones that Spanish does not say).
    """
    excluded = {"all": (), "none": (), "asked": ("I", "we"), "dropped": ("I", "we", "he", "she")}
    allowed = [
        (text, 4 * weight if text == "you" and pronouns != "all" else weight)
        for text, weight in _PRONOUNS
        if text not in excluded[pronouns]
    ]
    kind = draw.weighted(
        (("pronoun", 0 if pronouns == "none" else 10), ("name", 3), ("kin", 4), ("people", 4),
         ("both", 1), ("genitive", 1))
    )  # fmt: skip
    if kind == "pronoun":
        return pronoun(draw.weighted(allowed))
    if kind == "both":
        first, second = draw.shuffled(WOMEN + MEN)[:2]
        return both(name(first), name(second))
    if kind == "genitive":
        return genitive(name(draw.one(WOMEN + MEN)), draw.one(_KIN))
    return {"name": somebody_named, "kin": relative, "people": people}[kind](draw)


def somebody_named(draw: Draw) -> NounPhrase:
    """A name."""
    return name(draw.one(WOMEN + MEN))


def relative(draw: Draw, plural_chance: float = 0.2) -> NounPhrase:
    """Somebody's relative, friend or neighbor: "my sister"."""
    kin = draw.one(_KIN)
    many = draw.chance(plural_chance) and not kin.is_any("parent elder") and kin.english != "boss"
    return noun_phrase(kin, draw.weighted(_OWNERS), plural=many)


def people(draw: Draw, plural_chance: float = 0.3, *, pointing: bool = True) -> NounPhrase:
    """Somebody known by sight or by profession: "the tall woman", "those students"."""
    noun = draw.one(_PEOPLE)
    plural = draw.chance(plural_chance)
    determiner = draw.weighted((("the", 6), ("this", pointing), ("that", pointing)))
    fitting = [a for a in adjectives_for(noun, "ser") if a.english != "good"]
    adjective = draw.one(fitting) if fitting and draw.chance(0.2) else None
    count = draw.number(2, 5) if plural and determiner == "the" and draw.chance(0.12) else 0
    return noun_phrase(noun, determiner, plural=plural, adjective=adjective, count=count)


def somebody_else(draw: Draw, subject: NounPhrase) -> NounPhrase:
    """Somebody as an object or a companion of the subject."""
    while True:
        other = draw.weighted(((somebody_named, 3), (relative, 4), (people, 3), (_own_relative, 3)))
        found = other(draw) if other is not _own_relative else _own_relative(draw, subject)
        if not _clashes(found, subject):
            return found


def pet(draw: Draw) -> NounPhrase:
    """An animal of the house, as a subject."""
    determiner = draw.weighted((("the", 4), ("my", 2), ("our", 1), ("that", 1)))
    return noun_phrase(draw.one(_PETS), determiner, plural=draw.chance(0.25))


def same_words(first: NounPhrase, second: NounPhrase) -> bool:
    """Whether two phrases are the same in English."""
    said = [word.text for word in second.phrase.english]
    return [word.text for word in first.phrase.english] == said


def overlap(first: NounPhrase, second: NounPhrase) -> bool:
    """Whether two phrases share a name or a noun."""
    shared = {word.text for word in first.phrase.english} & {
        word.text for word in second.phrase.english
    }
    return bool(shared - _CLOSED)


def again(subject: NounPhrase) -> NounPhrase:
    """The subject of a second clause: a pronoun in English, nothing in Spanish."""
    text = "they" if subject.plural else "she" if subject.gender == "f" else "he"
    return unsaid(subject.pronoun or text, subject)


def unsaid(text: str, subject: NounPhrase) -> NounPhrase:
    """This English pronoun for a thing or person that Spanish does not name again."""
    phrase = Phrase((Word(text),))
    return replace(subject, phrase=phrase, pronoun=text, quality=None)


def thing(
    draw: Draw,
    kinds: str,
    subject: NounPhrase | None = None,
    *,
    bare: bool = False,
    own: bool = False,
    several: bool = True,
    without: str = "",
    definite: bool = False,
    qualities: str = "",
    choices: tuple[Noun, ...] = (),
) -> NounPhrase:
    """Something of these kinds, with a determiner that makes sense.

    Args:
        draw: where the choices come from.
        kinds: of the noun, as in `nouns_of`.
        subject: whose it may be.
        bare: whether it may go without a determiner ("eats apples").
        own: whether it usually belongs to somebody.
        several: whether it may be plural.
        without: kinds that it must not be.
        definite: whether it must be one that is known ("the", "this", "my").
        qualities: adjectives beyond those of "ser" that fit here.
        choices: the nouns to choose from, in place of `kinds`.
    """
    noun = draw.one(choices or nouns_of(kinds, without))
    mass = noun.is_any("mass")
    likely = 0.3 if not own else 0.4 if noun.is_any("key ticket") else 0.0
    plural = noun.is_any("plural pairs") or (several and not mass and draw.chance(likely))
    owner = _owner(draw, subject)
    possessable = own or noun.is_any("owned")
    if possessable and not plural and draw.chance(0.12):
        return genitive(_some_owner(draw), noun)
    if noun.is_any("meal"):
        return NounPhrase(pair(noun.english, _with_article(noun)), noun.gender, "3s", noun)
    countable = not (own or definite or noun.is_any("pairs plural"))
    determiner = draw.weighted(
        (
            ("the", 1.5 if bare else 5),
            ("a", 0 if mass or plural or definite else 4),
            ("", 5 if bare and (mass or plural) else 2 if plural and not (definite or own) else 0),
            ("this", 0.15 if bare else 0.7),
            ("that", 0.15 if bare else 0.7),
            ("another", 0 if mass or plural or definite else 0.5),
            (owner, 4 if possessable and not (plural and noun.is_any("owned")) else 0),
            ("number", 1.5 if plural and countable else 0),
        )
    )
    count = draw.number(2, 6) if determiner == "number" else 0
    if count:
        return noun_phrase(noun, "", count=count, adjective=quality(draw, noun, 0.15, qualities))
    if determiner == owner and noun.is_any("content ride clothes colored") and draw.chance(0.15):
        return noun_phrase(noun, owner, plural=plural, adjective=FAVORITE)
    if determiner == "the" and noun.is_any("lecture answerable match") and draw.chance(0.4):
        return noun_phrase(noun, "the", adjective=draw.one(ORDINALS))
    adjective = quality(draw, noun, 0.3, qualities)
    return noun_phrase(noun, determiner, plural=plural, adjective=adjective)


def _own_relative(draw: Draw, subject: NounPhrase) -> NounPhrase:
    if subject.possessive not in POSSESSIVES:
        return relative(draw)
    return noun_phrase(draw.one(_KIN), subject.possessive)


def _owner(draw: Draw, subject: NounPhrase | None) -> str:
    if subject is not None and subject.possessive in POSSESSIVES and draw.chance(0.75):
        return subject.possessive
    return draw.weighted(_OWNERS)


def _some_owner(draw: Draw) -> NounPhrase:
    if draw.chance(0.4):
        return somebody_named(draw)
    return relative(draw) if draw.chance(0.6) else noun_phrase(draw.one(_PEOPLE))


def _clashes(first: NounPhrase, second: NounPhrase) -> bool:
    return same_words(first, second) or (first.noun is not None and first.noun is second.noun)


def _with_article(noun: Noun) -> str:
    return f"{'la' if noun.gender == 'f' else 'el'} {noun.spanish}"


def quality(draw: Draw, noun: Noun, chance: float, extra: str = "") -> Adjective | None:
    """At times an adjective of "ser" that fits the noun, or one of the extra ones that does."""
    more = extra.split()
    fitting = [a for a in adjectives_for(noun) if a.copula == "ser" or a.english in more]
    return draw.one(fitting) if fitting and draw.chance(chance) else None
