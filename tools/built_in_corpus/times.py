"""Adverbials of time, by the tense that they go with, and the time of day."""

from .draw import Draw
from .numbers import cardinal, english_hour, spanish_hour
from .phrase import Phrase, arrange, pair

Fixed = tuple[str, ...]

DAYS = (
    ("Monday", "lunes", "lunes"),
    ("Tuesday", "martes", "martes"),
    ("Wednesday", "miércoles", "miércoles"),
    ("Thursday", "jueves", "jueves"),
    ("Friday", "viernes", "viernes"),
    ("Saturday", "sábado", "sábados"),
    ("Sunday", "domingo", "domingos"),
)
_PAST: tuple[Fixed, ...] = (
    ("yesterday", "ayer"),
    ("last night", "anoche"),
    ("yesterday morning", "ayer por la mañana", "0-0 1-1 1-2 1-3"),
    ("yesterday afternoon", "ayer por la tarde", "0-0 1-1 1-2 1-3"),
    ("the day before yesterday", "anteayer"),
    *((f"last {en}", f"el {es} pasado", "0-0 0-2 1-1") for en, es, _ in DAYS),
)
_LONG_PAST: tuple[Fixed, ...] = (
    ("last week", "la semana pasada", "0-0 0-2 1-1"),
    ("last month", "el mes pasado", "0-0 0-2 1-1"),
    ("last year", "el año pasado", "0-0 0-2 1-1"),
)
_FUTURE: tuple[Fixed, ...] = (
    ("tomorrow", "mañana"),
    ("tonight", "esta noche"),
    ("tomorrow morning", "mañana por la mañana", "0-0 1-1 1-2 1-3"),
    ("this afternoon", "esta tarde"),
    ("the day after tomorrow", "pasado mañana", "0-0 1-0 2-0 3-1"),
    *((f"on {en}", f"el {es}") for en, es, _ in DAYS),
)
_LONG_FUTURE: tuple[Fixed, ...] = (
    ("next week", "la próxima semana", "0-0 0-1 1-2"),
    ("next month", "el próximo mes", "0-0 0-1 1-2"),
    ("next year", "el próximo año", "0-0 0-1 1-2"),
    ("this weekend", "este fin de semana", "0-0 1-1 1-2 1-3"),
)
_HABIT: tuple[Fixed, ...] = (
    ("every day", "todos los días", "0-0 0-1 1-2"),
    ("every morning", "todas las mañanas", "0-0 0-1 1-2"),
    ("every afternoon", "todas las tardes", "0-0 0-1 1-2"),
    ("every night", "todas las noches", "0-0 0-1 1-2"),
    ("every week", "todas las semanas", "0-0 0-1 1-2"),
    ("in the morning", "por la mañana"),
    ("at night", "por la noche", "0-0 1-1 1-2"),
    *((f"on {en}s", f"los {es}") for en, _, es in DAYS),
)
_NOW: tuple[Fixed, ...] = (
    ("now", "ahora"),
    ("right now", "ahora mismo", "0-1 1-0"),
    ("at the moment", "en este momento"),
)
_FREQUENCY: tuple[Fixed, ...] = (("always", "siempre"), ("never", "nunca"))
_MINUTES: tuple[Fixed, ...] = (
    ("half past", "y media", "0-1 1-0"),
    ("a quarter past", "y cuarto", "0-1 1-1 2-0"),
    ("a quarter to", "menos cuarto", "0-1 1-1 2-0"),
    ("ten past", "y diez", "0-1 1-0"),
    ("twenty past", "y veinte", "0-1 1-0"),
    ("ten to", "menos diez", "0-1 1-0"),
    ("twenty to", "menos veinte", "0-1 1-0"),
)
_KINDS = {
    "past": _PAST,
    "long past": _LONG_PAST,
    "future": _FUTURE,
    "long future": _LONG_FUTURE,
    "habit": _HABIT,
    "day past": (("yesterday", "ayer"), *_PAST[-len(DAYS) :]),
    "day": tuple(row for row in _HABIT if row[0] == "every day" or row[0].startswith("on ")),
    "now": _NOW,
    "frequency": _FREQUENCY,
}


def time(draw: Draw, kind: str) -> Phrase:
    """An adverb of time.

    Args:
        draw: where the choice comes from.
        kind: "past", "day past", "long past", "future", "long future", "habit", "day", "now" or
            "frequency".
    """
    if kind == "long past" and draw.chance(0.4):
        return ago(draw)
    return pair(*draw.one(_KINDS[kind]))


def ago(draw: Draw) -> Phrase:
    """How long ago: "three weeks ago", "hace tres semanas"."""
    english, spanish, gender = draw.one(
        (("days", "días", "m"), ("weeks", "semanas", "f"), ("months", "meses", "m"),
         ("years", "años", "m"))
    )  # fmt: skip
    count = cardinal(draw.number(2, 6), gender)
    unit, since = pair(english, spanish), pair("ago", "hace")
    return arrange((count, unit, since), (since, count, unit))


def hour(draw: Draw, low: int = 1, high: int = 12) -> Phrase:
    """A time of day with its Spanish article: "half past three", "las tres y media".

    Args:
        draw: where the choice comes from.
        low: the first hour that makes sense.
        high: the last one.
    """
    value = draw.number(low, high)
    article = "la" if value == 1 else "las"
    if draw.chance(0.35):
        return pair(f"{english_hour(value)} o'clock", f"{article} {spanish_hour(value)}", "0-1 1-0")
    minutes = pair(*draw.one(_MINUTES))
    told = pair(english_hour(value), f"{article} {spanish_hour(value)}")
    return arrange((minutes, told), (told, minutes))


def at_hour(draw: Draw, low: int = 1, high: int = 12) -> Phrase:
    """At what time, as in `hour`: "at half past three", "a las tres y media"."""
    return pair("at", "a") + hour(draw, low, high)
