"""Comparatives and superlatives."""

from keras_bahdanau.training.corpora.built_in import AlignedPair

from .adjectives import Adjective, adjective, adjectives_for
from .clauses import statement
from .descriptions import CHARACTER, UNGRADED, is_
from .draw import Draw
from .noun_phrases import NounPhrase, noun_phrase
from .nouns import NOUNS, nouns_of
from .phrase import Phrase, arrange, pair, sentence
from .subjects import overlap, person
from .verb_groups import copula

_COLORS = ("red", "blue", "green", "white", "black")


def compared(draw: Draw) -> AlignedPair:
    """A comparative: "taller than", "más alto que"."""
    if draw.chance(0.5):
        first, second = person(draw), person(draw, pronouns="none")
        while overlap(first, second) or second.plural != first.plural or first.quality:
            first, second = person(draw), person(draw, pronouns="none")
        than = second.phrase
        quality = adjective(draw.one(CHARACTER))
        group = is_(quality, "present", first)
        return sentence(statement(first, group, _more(quality, first), _than(than)))
    noun = draw.one(nouns_of("vehicle ride clothes building furniture"))
    plural = noun.is_any("plural pairs")
    red, blue = (adjective(color) for color in draw.shuffled(_COLORS)[:2])
    graded = [a for a in adjectives_for(noun, "ser") if a.english not in UNGRADED]
    graded = [a for a in graded if a.english not in ("good", "famous", "tall")]
    quality = draw.one(graded)
    if red.fits(noun) and blue.fits(noun):
        first = noun_phrase(noun, "the", plural=plural, adjective=red)
        ones = "ones" if plural else "one"
        article = {"m": ("el", "los"), "f": ("la", "las")}[noun.gender][plural]
        other = pair(f"the {blue.english} {ones}", f"{article} {blue.form(noun.gender, plural)}",
                     "0-0 1-1 2-0")  # fmt: skip
    else:
        first = noun_phrase(noun, "this", plural=plural)
        other = pair("that one", {"m": "ese", "f": "esa"}[noun.gender])
    group = is_(quality, "present", first)
    return sentence(statement(first, group, _more(quality, first), _than(other)))


def superlatives(draw: Draw) -> AlignedPair:
    """A superlative: "the tallest", "el más alto"."""
    kind, where, qualities = draw.one(
        (
            ("boy girl student", "class", ("tall", "young", "intelligent", "strong")),
            ("house building hotel restaurant", "city", ("big", "expensive", "modern", "pretty")),
            ("street park church theater", "city", ("big", "long", "quiet", "pretty", "famous")),
            ("house church store tree", "village", ("big", "small", "pretty")),
            ("chair table bed lamp", "store", ("expensive", "cheap", "comfortable", "heavy")),
        )
    )
    noun = draw.one(nouns_of(kind))
    fitting = [adjective(q) for q in qualities if adjective(q).fits(noun)]
    if not fitting or noun.english == where:
        return superlatives(draw)
    quality = draw.one(fitting)
    subject = _first_of(draw, noun.gender, human=noun.is_any("person"))
    article = pair("the", {"m": "el", "f": "la"}[noun.gender])
    head = pair(noun.english, noun.spanish)
    form = quality.form(noun.gender, False)
    if quality.comparative:
        most = pair(_superlative(quality.comparative), f"más {form}")
    else:
        most = pair(f"most {quality.english}", f"más {form}")
    place = next(n for n in NOUNS if n.english == where)
    there = pair("in", "de") + noun_phrase(place).phrase
    best = arrange((article, most, head), (article, head, most))
    group = copula("ser", "present", subject)
    return sentence(statement(subject, group, best, there))


def _first_of(draw: Draw, gender: str, *, human: bool) -> NounPhrase:
    while human:
        found = person(draw, pronouns="none")
        known = found.noun is None or found.noun.is_any("brother sister cousin friend")
        if known and not found.plural and found.gender == gender:
            return found
    word = draw.one((("this", {"m": "este", "f": "esta"}), ("that", {"m": "ese", "f": "esa"})))
    return NounPhrase(pair(word[0], word[1][gender]), gender, "3s")


def _more(quality: Adjective, subject: NounPhrase) -> Phrase:
    form = quality.form(subject.gender, subject.plural)
    if quality.comparative:
        return pair(quality.comparative, f"más {form}")
    return pair(f"more {quality.english}", f"más {form}")


def _than(other: Phrase) -> Phrase:
    return pair("than", "que") + other


def _superlative(comparative: str) -> str:
    return comparative[:-1] + "st"
