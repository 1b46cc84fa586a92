"""Sentences of description, with "ser", "estar" and "tener"."""

from keras_bahdanau.training.corpora.built_in import AlignedPair

from .adjectives import Adjective, adjective, adjectives_for, clash
from .clauses import question, statement
from .draw import Draw
from .noun_phrases import NounPhrase, noun_phrase
from .nouns import FEMININE_ROLES, NOUNS, nouns_of
from .numbers import cardinal
from .phrase import Phrase, pair, sentence
from .places import COUNTRIES
from .subjects import person, relative, thing
from .verb_groups import VerbGroup, copula

STATES = ("tired", "sick", "sad", "happy", "angry", "busy", "worried", "nervous")
CHARACTER = ("tall", "young", "intelligent", "friendly", "kind", "strong")
UNGRADED = (
    "red blue green yellow white black open closed broken empty delicious Spanish Italian French "
    "German"
).split()
_FEELINGS = (
    ("hungry", "hambre", "mucha"),
    ("thirsty", "sed", "mucha"),
    ("sleepy", "sueño", "mucho"),
    ("afraid", "miedo", "mucho"),
    ("cold", "frío", "mucho"),
)
_ASKED = ("", "you", "they")
_ROLES = nouns_of("role")
_DESCRIBED = tuple(
    n for n in NOUNS if not n.is_any("person meal animal") and len(adjectives_for(n)) > 0
)


def predicate(draw: Draw, quality: Adjective, subject: NounPhrase, degree: float = 0.3) -> Phrase:
    """The adjective as predicate, in agreement, at times with "very" or "too"."""
    stated = pair(quality.english, quality.form(subject.gender, subject.plural))
    if quality.english in UNGRADED or not draw.chance(degree):
        return stated
    too = not subject.human and draw.chance(0.2)
    return (pair("too", "demasiado") if too else pair("very", "muy")) + stated


def is_(
    quality: Adjective, tense: str, subject: NounPhrase, *, negative: bool = False
) -> VerbGroup:
    """ "To be" before this adjective: "ser" or "estar"; an event "fue" difficult."""
    event = subject.noun is not None and subject.noun.is_any("event") and quality.copula == "ser"
    return copula(
        quality.copula,
        tense,
        subject,
        spanish_tense="preterite" if event else "",
        negative=negative,
    )


def described(draw: Draw) -> AlignedPair:
    """What a thing is like, as a statement or a question."""
    noun = draw.one(_DESCRIBED)
    subject = thing(draw, "", choices=(noun,), own=noun.is_any("clothes losable"))
    subject = _defined(draw, subject)
    fitting = [a for a in adjectives_for(noun) if not clash(subject.quality, a)]
    return _is_like(draw, subject, draw.one(fitting)) if fitting else described(draw)


def described_person(draw: Draw) -> AlignedPair:
    """How somebody is or feels."""
    subject = person(draw)
    if draw.chance(0.65):
        return _is_like(draw, subject, adjective(draw.one(STATES)))
    if subject.quality is not None:
        return described_person(draw)
    if subject.noun is not None and subject.noun.is_any("parent elder elderly"):
        return _is_like(draw, subject, adjective(draw.one(("kind", "friendly", "intelligent"))))
    return _is_like(draw, subject, adjective(draw.one(CHARACTER)))


def professions(draw: Draw) -> AlignedPair:
    """What somebody's profession is: Spanish has no article there."""
    subject = person(draw)
    while subject.noun is not None and subject.noun.is_any("role young"):
        subject = person(draw)
    asking = draw.chance(0.25) and subject.pronoun in _ASKED
    role = draw.one(_ROLES)
    feminine = FEMININE_ROLES.get(role.english, role.spanish)
    spanish = feminine if subject.gender == "f" else role.spanish
    if subject.plural:
        spanish = feminine + "s" if subject.gender == "f" else role.spanish_plural
    english = role.english_plural if subject.plural else f"a {role.english}"
    what = pair(english, spanish)
    tense = draw.weighted((("present", 5), ("past", 1)))
    refused = not asking and draw.chance(0.25)
    group = copula("ser", tense, subject, negative=refused)
    if asking:
        return sentence(question(subject, group, predicate=what), "?")
    return sentence(statement(subject, group, what))


def origins(draw: Draw) -> AlignedPair:
    """Which country somebody comes from."""
    subject = person(draw)
    what = pair("from", "de") + pair(*draw.one(COUNTRIES))
    asking = draw.chance(0.25) and subject.pronoun in _ASKED
    group = copula("ser", "present", subject, negative=not asking and draw.chance(0.2))
    if asking:
        return sentence(question(subject, group, what), "?")
    return sentence(statement(subject, group, what))


def ages(draw: Draw) -> AlignedPair:
    """How old somebody is: Spanish has years."""
    subject = person(draw) if draw.chance(0.3) else relative(draw, plural_chance=0.0)
    while subject.plural:
        subject = person(draw)
    low, high = 18, 59
    if subject.noun is not None:
        if subject.noun.is_any("elder elderly"):
            low, high = 60, 95
        elif subject.noun.is_any("young"):
            low, high = 6, 17
        elif subject.noun.is_any("parent"):
            low, high = 35, 65
    asking = draw.chance(0.15) and subject.pronoun != "I"
    group = copula("tener", "present", subject)
    if asking:
        asked = pair("how old", "cuántos años", "0-0 1-0 1-1")
        return sentence(question(subject, group, asked=asked), "?")
    years = cardinal(draw.number(low, high), "m") + pair("years old", "años")
    return sentence(statement(subject, group, years))


def feelings(draw: Draw) -> AlignedPair:
    """Hunger, thirst and the like: Spanish has them."""
    subject = person(draw)
    english, spanish, much = draw.one(_FEELINGS)
    felt = pair(english, spanish)
    if draw.chance(0.35):
        felt = pair("very", much) + felt
    tense = draw.weighted((("present", 3), ("past", 1)))
    asking = draw.chance(0.2) and subject.pronoun in _ASKED
    group = copula("tener", tense, subject, negative=not asking and draw.chance(0.25))
    if asking:
        return sentence(question(subject, group, predicate=felt), "?")
    return sentence(statement(subject, group, felt))


def _is_like(draw: Draw, subject: NounPhrase, quality: Adjective) -> AlignedPair:
    tense = draw.weighted((("present", 6), ("past", 2)))
    asking = draw.chance(0.25) and subject.pronoun in _ASKED
    group = is_(quality, tense, subject, negative=not asking and draw.chance(0.2))
    stated = predicate(draw, quality, subject, 0.0 if asking else 0.3)
    if asking:
        return sentence(question(subject, group, predicate=stated), "?")
    return sentence(statement(subject, group, stated))


def _defined(draw: Draw, subject: NounPhrase) -> NounPhrase:
    noun = subject.noun
    if noun is None or subject.definite:
        return subject
    return noun_phrase(noun, draw.one(("the", "this", "that")), plural=subject.plural)
