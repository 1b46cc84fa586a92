"""Nouns: English and Spanish forms, gender and semantic classes."""

from dataclasses import dataclass
from functools import cache

from .noun_table import ROWS


@dataclass(frozen=True)
class Noun:
    """A noun of both languages.

    `kinds` says what the thing is, so that verbs and adjectives choose sensible nouns. Kinds
    with a grammatical meaning: `mass` (no plural), `plural` (no singular), `role` (a profession:
    also a predicate), `kin` (comes with a possessive), `stressed_a` (feminine with "el"), `at`
    and `on` (its English preposition of place, else "in").
    """

    english: str
    english_plural: str
    spanish: str
    spanish_plural: str
    gender: str
    kinds: frozenset[str]
    links: str | None = None

    def is_any(self, kinds: str) -> bool:
        """Whether it is one of these kinds (or English nouns), separated by spaces."""
        asked = kinds.split()
        return self.english in asked or not self.kinds.isdisjoint(asked)


def english_plural(singular: str) -> str:
    """The regular English plural."""
    if singular.endswith(("s", "x", "z", "ch", "sh")):
        return singular + "es"
    if singular.endswith("y") and singular[-2] not in "aeiou":
        return singular[:-1] + "ies"
    return singular + "s"


def spanish_plural(singular: str) -> str:
    """The regular Spanish plural of a noun or an adjective."""
    if singular.endswith("z"):
        return singular[:-1] + "ces"
    if singular[-1] in "aeiouáé":
        return singular + "s"
    for accented, plain in ("án", "an"), ("én", "en"), ("ín", "in"), ("ón", "on"):
        if singular.endswith(accented):
            return singular[:-2] + plain + "es"
    for accented, plain in ("ús", "us"), ("és", "es"):
        if singular.endswith(accented):
            return singular[:-2] + plain + "es"
    return singular + "es"


def _parse(row: str) -> Noun:
    english, spanish, gender, kinds, *links = (field.strip() for field in row.split("|"))
    singular, _, plural = english.partition("/")
    forms = spanish.split("/")
    kind_set = frozenset(kinds.split())
    if "plural" in kind_set:
        return Noun(singular, plural, forms[0], forms[0], gender, kind_set)
    spanish_many = forms[1] if len(forms) > 1 else spanish_plural(forms[0])
    return Noun(
        singular,
        plural or english_plural(singular),
        forms[0],
        spanish_many,
        gender,
        kind_set,
        links[0] if links else None,
    )


NOUNS = tuple(_parse(row) for row in ROWS.strip().splitlines())
FEMININE_ROLES = {
    row.split("|")[0].strip(): row.split("|")[1].strip().split("/")[2]
    for row in ROWS.strip().splitlines()
    if row.count("/") >= 2 and " role" in row
}


@cache
def nouns_of(kinds: str, without: str = "") -> tuple[Noun, ...]:
    """The nouns of at least one of these kinds and none of the others, in the table's order."""
    return tuple(n for n in NOUNS if n.is_any(kinds) and not n.is_any(without))


@cache
def noun(english: str) -> Noun:
    """The noun with this English singular (or plural, if it has only that)."""
    for candidate in NOUNS:
        if english in (candidate.english, candidate.english_plural):
            return candidate
    raise ValueError(f"Argument `english` must be a noun of the table. Received: {english!r}")
