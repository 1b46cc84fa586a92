"""Noun phrases: determiner, adjective and noun in agreement, genitives, names and pronouns."""

from dataclasses import dataclass, replace

from .adjectives import Adjective
from .nouns import Noun
from .numbers import cardinal
from .phrase import EMPTY, Phrase, Rendering, Word, arrange, pair, spanish_only

# English singular, English plural, and the four Spanish forms: m, f, m plural, f plural.
_DETERMINERS = {
    "the": ("the", "the", "el la los las"),
    "a": ("a", "some", "un una unos unas"),
    "this": ("this", "these", "este esta estos estas"),
    "that": ("that", "those", "ese esa esos esas"),
    "another": ("another", "-", "otro otra - -"),
    "many": ("-", "many", "- - muchos muchas"),
    "my": ("my", "my", "mi mi mis mis"),
    "your": ("your", "your", "tu tu tus tus"),
    "his": ("his", "his", "su su sus sus"),
    "her": ("her", "her", "su su sus sus"),
    "our": ("our", "our", "nuestro nuestra nuestros nuestras"),
    "their": ("their", "their", "su su sus sus"),
}
POSSESSIVES = ("my", "your", "his", "her", "our", "their")
_PRONOUNS = {
    "I": ("1s", "m", "my"),
    "you": ("2s", "m", "your"),
    "he": ("3s", "m", "his"),
    "she": ("3s", "f", "her"),
    "we": ("1p", "m", "our"),
    "they": ("3p", "m", "their"),
}
WOMEN = ("Ana", "Elena", "Marta", "Laura", "Sara", "Isabel", "Carmen", "Julia")
MEN = ("Pedro", "Carlos", "Pablo", "Miguel", "David", "Daniel", "Luis", "Ignacio")


@dataclass(frozen=True)
class NounPhrase:
    """A noun phrase with what verbs and adjectives must agree with.

    `person` is one of "1s", "2s", "3s", "1p", "3p". A `pronoun` subject that Spanish does not
    say has no Spanish words: its English word is rendered by the verb. `human` objects that
    are `definite` take the Spanish "a".
    """

    phrase: Phrase
    gender: str
    person: str
    noun: Noun | None = None
    pronoun: str = ""
    possessive: str = ""
    human: bool = False
    definite: bool = True
    quality: Adjective | None = None

    @property
    def plural(self) -> bool:
        """Whether it is grammatically plural."""
        return self.person.endswith("p")

    @property
    def said(self) -> bool:
        """Whether Spanish says it as a subject."""
        return bool(self.phrase.spanish)

    def as_object(self) -> Phrase:
        """The phrase as a direct object, with the personal "a" where Spanish wants it."""
        if self.human and self.definite:
            return spanish_only("a") + self.phrase
        return self.phrase


def spanish_determiner(determiner: str, noun: Noun, plural: bool, adjacent: bool = True) -> str:
    """The Spanish determiner that agrees with a noun.

    Args:
        determiner: the English singular, or "the", "many", a possessive, ...
        adjacent: whether the noun itself follows: only then "el agua", not "la".
    """
    masculine = noun.gender == "m"
    if noun.is_any("stressed_a") and adjacent and not plural and determiner in ("the", "a"):
        masculine = True
    forms = _DETERMINERS[determiner][2].split()
    return forms[(0 if masculine else 1) + (2 if plural else 0)]


def noun_phrase(
    noun: Noun,
    determiner: str = "the",
    *,
    plural: bool = False,
    adjective: Adjective | None = None,
    count: int = 0,
) -> NounPhrase:
    """Builds a noun phrase of the third person.

    Args:
        noun: the head. A noun without a singular is plural whatever `plural` says.
        determiner: an English determiner in the singular, "all", or "" for none.
        plural: whether there are several.
        adjective: an attribute that fits the noun.
        count: a number from 2 on, between determiner and adjective; the phrase is then plural.
    """
    plural = plural or noun.is_any("plural") or count > 0
    said, rendered = _forms(noun, plural)
    head = pair(said, rendered, noun.links)
    number = cardinal(count, noun.gender) if count else EMPTY
    before = after = EMPTY
    if adjective is not None:
        form = adjective.form(noun.gender, plural, attribute=True)
        quality = pair(adjective.english, form)
        before, after = (quality, EMPTY) if adjective.before else (EMPTY, quality)
    adjacent = not (before.spanish or number.spanish)
    article = _determiner_phrase(determiner, noun, plural, adjacent)
    phrase = arrange((article, number, before, after, head), (article, number, before, head, after))
    human = noun.is_any("person")
    return NounPhrase(
        phrase,
        noun.gender,
        "3p" if plural else "3s",
        noun,
        possessive=_owner(noun, plural, human),
        human=human,
        definite=determiner not in ("", "a", "many", "another"),
        quality=adjective,
    )


def genitive(owner: NounPhrase, noun: Noun, *, plural: bool = False) -> NounPhrase:
    """A genitive: "Ana's car", "el coche de Ana"."""
    plural = plural or noun.is_any("plural")
    last = owner.phrase.english[-1]
    mark = "'" if owner.plural and last.text.endswith("s") else "'s"
    owning = Word(last.text + mark)
    english = (*owner.phrase.english[:-1], owning)
    spanish = tuple(
        Rendering(r.text, tuple(owning if word is last else word for word in r.origins))
        for r in owner.phrase.spanish
    )
    article = spanish_only(spanish_determiner("the", noun, plural), owning)
    said, rendered = _forms(noun, plural)
    head = pair(said, rendered, noun.links)
    possessor = Phrase(english, spanish)
    phrase = arrange((possessor, head), (article, head, spanish_only("de", owning), possessor))
    human = noun.is_any("person")
    return NounPhrase(
        phrase,
        noun.gender,
        "3p" if plural else "3s",
        noun,
        possessive=_owner(noun, plural, human),
        human=human,
    )


def name(text: str) -> NounPhrase:
    """A person's name, the same in both languages."""
    gender = "f" if text in WOMEN else "m"
    possessive = "her" if gender == "f" else "his"
    return NounPhrase(pair(text, text), gender, "3s", possessive=possessive, human=True)


def pronoun(text: str) -> NounPhrase:
    """A subject pronoun.

    Spanish leaves out all but "él" and "ella", which the verb alone could not tell apart.
    "You" is one friend ("tú"); "we" and "they" are masculine.
    """
    person, gender, possessive = _PRONOUNS[text]
    word = Word(text)
    kept = {"he": "él", "she": "ella"}.get(text)
    spanish = (Rendering(kept, (word,)),) if kept else ()
    return NounPhrase(Phrase((word,), spanish), gender, person, None, text, possessive, human=True)


def both(first: NounPhrase, second: NounPhrase, conjunction: str = "and") -> NounPhrase:
    """Two coordinated noun phrases: "Pedro and Isabel", "Pedro e Isabel"."""
    link = pair(conjunction, {"and": "y", "or": "o"}[conjunction])
    gender = "f" if first.gender == second.gender == "f" else "m"
    return replace(
        first,
        phrase=first.phrase + link + second.phrase,
        gender=gender,
        person="3p",
        noun=None,
        possessive="their",
    )


def _forms(noun: Noun, plural: bool) -> tuple[str, str]:
    if plural:
        return noun.english_plural, noun.spanish_plural
    return noun.english, noun.spanish


def _owner(noun: Noun, plural: bool, human: bool) -> str:
    if plural:
        return "their"
    if not human:
        return "its"
    return "his" if noun.gender == "m" else "her"


def _determiner_phrase(determiner: str, noun: Noun, plural: bool, adjacent: bool) -> Phrase:
    if not determiner:
        return EMPTY
    if determiner == "all":
        every = "todas" if noun.gender == "f" else "todos"
        return pair("all the", f"{every} {spanish_determiner('the', noun, True)}")
    if determiner not in _DETERMINERS:
        raise ValueError(
            f"Argument `determiner` must be '', 'all' or one of {', '.join(_DETERMINERS)}. "
            f"Received: {determiner!r}"
        )
    english = _DETERMINERS[determiner][1 if plural else 0]
    return pair(english, spanish_determiner(determiner, noun, plural, adjacent))
