"""Sentences on time of day, dates, weather, prices and scheduled events."""

from keras_bahdanau.training.corpora.built_in import AlignedPair

from .clauses import question, statement
from .draw import Draw
from .noun_phrases import NounPhrase, noun_phrase
from .nouns import nouns_of
from .numbers import cardinal
from .phrase import EMPTY, Phrase, Rendering, Word, arrange, pair, sentence
from .places import CITIES
from .subjects import thing
from .times import DAYS, at_hour, hour
from .verb_groups import copula, verb_group
from .verbs import VERBS

_OPENING = ("bank", "store", "museum", "library", "supermarket", "market", "restaurant")
_WEATHER = (
    ("cold", "frío", "mucho"), ("hot", "calor", "mucho"), ("sunny", "sol", "mucho"),
    ("windy", "viento", "mucho"),
)  # fmt: skip
_SEASONS = (("winter", "invierno"), ("summer", "verano"), ("spring", "primavera"),
            ("fall", "otoño"))  # fmt: skip
_PARTS = (
    ("in the morning", "de la mañana", "cinco seis siete ocho nueve diez once"),
    ("in the afternoon", "de la tarde", "una dos tres cuatro cinco seis"),
)


def told_hour(draw: Draw) -> AlignedPair:
    """What time it is: "It is half past two", "Son las dos y media"."""
    told = hour(draw)
    it = Word("it")
    one = told.spanish[0].text == "la"
    tense = draw.one(("present", "present", "past"))
    form = {"present": ("es", "son"), "past": ("era", "eran")}[tense][not one]
    is_ = Word("is" if tense == "present" else "was")
    verb = Phrase((it, is_), (Rendering(form, (it, is_)),))
    value = told.spanish[1].text
    fitting = [(en, es) for en, es, hours in _PARTS if value in hours.split()]
    part = pair(*draw.one(fitting)) if fitting and draw.chance(0.5) else EMPTY
    return sentence(verb + told + part)


def scheduled(draw: Draw) -> AlignedPair:
    """When something starts, ends, opens, closes, leaves or arrives."""
    subject, verb = _scheduled_subject(draw)
    day = EMPTY
    tense = draw.weighted((("present", 4), ("past", 2), ("future", 2)))
    if draw.chance(0.5):
        english, spanish, spanish_many = draw.one(DAYS)
        if tense == "past":
            day = pair("yesterday", "ayer")
        elif tense == "future":
            day = (
                pair("tomorrow", "mañana")
                if draw.chance(0.4)
                else pair(f"on {english}", f"el {spanish}")
            )
        elif verb in ("open", "close", "leave", "arrive"):
            day = pair(f"on {english}s", f"los {spanish_many}")
    if draw.chance(0.25):
        group = verb_group(VERBS[verb], tense, subject, question=True)
        asked = pair("what time", "a qué hora", "0-0 0-1 1-2")
        return sentence(question(subject, group, EMPTY, day, asked=asked), "?")
    negative = draw.chance(0.15)
    group = verb_group(VERBS[verb], tense, subject, negative=negative)
    hours = {"open": (8, 11), "close": (5, 10)}.get(verb, (1, 12))
    at = at_hour(draw, *hours)
    return sentence(statement(subject, group, arrange((at, day), (day, at))))


def weather(draw: Draw) -> AlignedPair:
    """The weather: Spanish makes it, or has a verb for it."""
    it = NounPhrase(Phrase((Word("it"),)), "m", "3s")
    where = pair("in", "en") + pair(*draw.one(CITIES)) if draw.chance(0.6) else EMPTY
    when_past = (("yesterday", "ayer"), ("last night", "anoche"))
    when_now = (("today", "hoy"), ("now", "ahora"))
    if draw.chance(0.5):
        english, spanish, much = draw.one(_WEATHER)
        very = pair("very", much) if draw.chance(0.4) else EMPTY
        what = very + pair(english, spanish)
        tense = draw.weighted((("present", 3), ("past", 1), ("future", 1)))
        asking = draw.chance(0.2)
        times = {"present": when_now, "past": when_past, "future": (("tomorrow", "mañana"),)}[tense]
        when = pair(*draw.one(times)) if draw.chance(0.6) else EMPTY
        if tense == "present" and not when.english and draw.chance(0.6):
            season = draw.one(_SEASONS)
            when = pair(f"in the {season[0]}", f"en {season[1]}", "0-0 1-1 2-1")
        negative = not asking and draw.chance(0.2)
        group = copula("hacer", tense, it, spanish_tense="preterite", negative=negative)
        if asking:
            return sentence(question(it, group, where, when, predicate=what), "?")
        return sentence(statement(it, group, what, where, when))
    verb = VERBS[draw.one(("rain", "snow"))]
    tense, times = draw.one(
        (
            ("progressive", when_now),
            ("past", when_past),
            ("future", (("tomorrow", "mañana"), ("tonight", "esta noche"))),
            ("going_to", (("tomorrow", "mañana"), ("tonight", "esta noche"))),
        )
    )
    when = pair(*draw.one(times)) if draw.chance(0.6) else EMPTY
    asking = draw.chance(0.2)
    negative = not asking and draw.chance(0.2)
    group = verb_group(verb, tense, it, negative=negative, question=asking)
    form = question if asking else statement
    return sentence(form(it, group, where, when), "?" if asking else ".")


def priced(draw: Draw) -> AlignedPair:
    """What something costs."""
    subject = thing(draw, "clothes", definite=True)
    low, high = 12, 99
    if draw.chance(0.5):
        kind = draw.one(nouns_of("device furniture bicycle guitar camera suitcase book ticket"))
        subject = noun_phrase(kind, draw.one(("the", "this", "that")), plural=draw.chance(0.25))
    if subject.phrase.english[0].text in ("my", "your", "his", "her", "our", "their"):
        tense = "past"
    else:
        tense = draw.one(("present", "present", "past"))
    if draw.chance(0.2):
        group = verb_group(VERBS["cost"], tense, subject, question=True)
        return sentence(question(subject, group, asked=pair("how much", "cuánto")), "?")
    expensive = subject.noun is not None and not subject.noun.is_any("book ticket clothes")
    amount = 100 * draw.number(1, 9) if expensive and draw.chance(0.5) else draw.number(low, high)
    euros = cardinal(amount, "m") + pair("euros", "euros")
    # "They cost" may be past or present: a plural statement is always in the present.
    said = "present" if subject.plural else tense
    return sentence(statement(subject, verb_group(VERBS["cost"], said, subject), euros))


def _scheduled_subject(draw: Draw) -> tuple[NounPhrase, str]:
    kind = draw.weighted((("event", 3), ("transport", 3), ("place", 3)))
    if kind == "event":
        found = draw.one(nouns_of("event show", without="program"))
        return noun_phrase(found, draw.one(("the", "the", "this"))), draw.one(("start", "end"))
    if kind == "transport":
        found = draw.one(nouns_of("transport"))
        verb = draw.one(("leave", "arrive"))
        subject = noun_phrase(found, "the")
        if draw.chance(0.4):
            goal = pair("to" if verb == "leave" else "from", "a" if verb == "leave" else "de")
            town = goal + pair(*draw.one(CITIES))
            subject = NounPhrase(subject.phrase + town, subject.gender, "3s", found)
        return subject, verb
    found = draw.one(nouns_of(" ".join(_OPENING)))
    plural = draw.chance(0.3)
    return noun_phrase(found, "the", plural=plural), draw.one(("open", "close"))
