"""Adverbials of place: location and direction."""

from .draw import Draw
from .noun_phrases import noun_phrase
from .nouns import Noun, noun
from .phrase import EMPTY, Phrase, pair
from .subjects import quality

CITIES = (
    ("Madrid", "Madrid"),
    ("Barcelona", "Barcelona"),
    ("Seville", "Sevilla"),
    ("London", "Londres"),
    ("Paris", "París"),
    ("Rome", "Roma"),
    ("Lisbon", "Lisboa"),
)
COUNTRIES = (
    ("Spain", "España"),
    ("France", "Francia"),
    ("Italy", "Italia"),
    ("Germany", "Alemania"),
    ("Portugal", "Portugal"),
    ("Mexico", "México"),
)
_DESTINATIONS = (
    "park school library museum restaurant hotel hospital bank store supermarket market office "
    "factory church theater station airport beach pool lake river city village"
).split()


def place(
    draw: Draw, names: tuple[str, ...], *, described: bool = False, spanish: str = "en"
) -> Phrase:
    """Where something happens: "in the park", "en el parque"; "at home", "en casa".

    Args:
        draw: where the choices come from.
        names: the nouns to choose from, or "home".
        described: whether the place may have an adjective.
        spanish: the preposition: one walks "por el parque".
    """
    if not names:
        return EMPTY
    chosen = draw.one(names)
    if chosen == "home":
        return pair("at home", "en casa")
    there = noun(chosen)
    adjective = quality(draw, there, 0.15) if described and there.is_any("place town") else None
    return preposition(there, spanish) + noun_phrase(there, "the", adjective=adjective).phrase


def preposition(there: Noun, spanish: str = "en") -> Phrase:
    """The preposition of place that English wants before a noun, and a Spanish one."""
    english = "at" if there.is_any("at") else "on" if there.is_any("on") else "in"
    return pair(english, spanish)


def destination(draw: Draw, *, spanish: str = "a") -> Phrase:
    """Where somebody goes: "to the park", "al parque"; "home", "a casa"."""
    if spanish == "a" and draw.chance(0.1):
        return pair("home", "a casa")
    where = draw.one(_DESTINATIONS)
    to = pair({"a": "to", "de": "from"}[spanish], spanish)
    return to + noun_phrase(noun(where), "the").phrase
