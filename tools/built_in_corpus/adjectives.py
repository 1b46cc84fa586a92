"""Adjectives: forms, compatible nouns, and "ser" or "estar"."""

from dataclasses import dataclass
from functools import cache

from .nouns import Noun, spanish_plural


@dataclass(frozen=True)
class Adjective:
    """An adjective of both languages.

    `copula` is "ser" or "estar" for the predicate; `kinds` are the kinds of noun it fits.
    `comparative` is the English comparative of a short adjective, empty where English says
    "more". `feminine` is given where it is not regular. `before` marks the few that come
    before their noun in Spanish too, some of them shortened ("un buen libro").
    """

    english: str
    spanish: str
    copula: str
    kinds: str
    comparative: str = ""
    feminine: str = ""
    before: str = ""

    def form(self, gender: str, plural: bool, attribute: bool = False) -> str:
        """The Spanish form that agrees with a noun of this gender and number."""
        if attribute and self.before and gender == "m" and not plural:
            return _SHORTENED.get(self.spanish, self.spanish)
        singular = self.spanish
        if gender == "f":
            singular = self.feminine or (
                singular[:-1] + "a" if singular.endswith("o") else singular
            )
        if not plural:
            return singular
        return "jóvenes" if singular == "joven" else spanish_plural(singular)

    def fits(self, noun: Noun) -> bool:
        """Whether it makes sense with this noun."""
        return noun.is_any(self.kinds)


_SHORTENED = {"bueno": "buen", "primero": "primer", "tercero": "tercer"}
_ROWS = """
red | rojo | ser | colored apple
blue | azul | ser | colored
green | verde | ser | colored apple
yellow | amarillo | ser | colored
white | blanco | ser | colored
black | negro | ser | clothes vehicle bicycle motorcycle bag cat dog umbrella
big | grande | ser | sized animal | bigger
small | pequeño | ser | sized animal | smaller
new | nuevo | ser | made | newer
old | viejo | ser | made | older
expensive | caro | ser | priced restaurant hotel
cheap | barato | ser | priced restaurant hotel | cheaper
tall | alto | ser | adult young role sister brother tree | taller
young | joven | ser | adult role | younger
intelligent | inteligente | ser | adult young role parent animal
friendly | simpático | ser | adult young role kin | friendlier
kind | amable | ser | adult role kin | kinder
strong | fuerte | ser | horse man brother father | stronger
famous | famoso | ser | artist sight city novel song movie singer
modern | moderno | ser | building kitchen office airport
pretty | bonito | ser | pretty clothes song picture photo | prettier
comfortable | cómodo | ser | seat shoe home hotel
heavy | pesado | ser | heavy | heavier
fast | rápido | ser | ride transport horse | faster
interesting | interesante | ser | content sight city notion
boring | aburrido | ser | content event
long | largo | ser | content street bridge river dress exam | longer
difficult | difícil | ser | task
easy | fácil | ser | task | easier
important | importante | ser | mail meeting exam question report
quiet | tranquilo | ser | calm park beach hotel | quieter
Spanish | español | ser | artist show cheese wine food_dish engineer student | | española
Italian | italiano | ser | artist show cheese wine vehicle restaurant student
French | francés | ser | artist show cheese wine vehicle restaurant student | | francesa
German | alemán | ser | artist vehicle beer engineer doctor student | | alemana
good | bueno | ser | show tune book novel role friend restaurant hotel notion | | | before
tired | cansado | estar | person horse dog
sick | enfermo | estar | person dog cat horse
sad | triste | estar | person
happy | contento | estar | person
angry | enfadado | estar | person
busy | ocupado | estar | adult role parent kin
worried | preocupado | estar | person
nervous | nervioso | estar | person
open | abierto | estar | openable business
closed | cerrado | estar | openable business museum library
clean | limpio | estar | dishes clothes cleanable washable
dirty | sucio | estar | dishes clothes cleanable washable
broken | roto | estar | breakable chair camera umbrella toy
full | lleno | estar | container restaurant transport
empty | vacío | estar | container restaurant classroom
hot | caliente | estar | warm
cold | frío | estar | warm drink
delicious | delicioso | estar | food
"""


def _parse(row: str) -> Adjective:
    return Adjective(*(field.strip() for field in row.split("|")))


ADJECTIVES = tuple(_parse(row) for row in _ROWS.strip().splitlines())
_EXCLUSIVE = tuple(
    set(group.split())
    for group in (
        "red blue green yellow white black",
        "big small",
        "new old modern",
        "expensive cheap",
        "interesting boring good",
        "difficult easy",
        "open closed",
        "clean dirty",
        "full empty",
        "hot cold",
        "friendly kind",
        "heavy fast",
        "Spanish Italian French German",
        "tired sick sad happy angry busy worried nervous",
    )
)
FAVORITE = Adjective("favorite", "favorito", "", "")
ORDINALS = tuple(
    Adjective(english, spanish, "", "", before="before")
    for english, spanish in (
        ("first", "primero"),
        ("second", "segundo"),
        ("third", "tercero"),
        ("fourth", "cuarto"),
        ("fifth", "quinto"),
    )
)


def clash(first: Adjective | None, second: Adjective) -> bool:
    """Whether one thing cannot sensibly be said to be both."""
    if first is None:
        return False
    pair = {first.english, second.english}
    return len(pair) == 1 or any(len(pair & group) == 2 for group in _EXCLUSIVE)


@cache
def adjective(english: str) -> Adjective:
    """The adjective with this English form."""
    return next(a for a in ADJECTIVES if a.english == english)


@cache
def adjectives_for(noun: Noun, copula: str = "ser estar") -> tuple[Adjective, ...]:
    """The adjectives that fit a noun and take one of these copulas."""
    return tuple(a for a in ADJECTIVES if a.copula in copula.split() and a.fits(noun))
