"""Actions: a verb with its objects and place, not yet inflected for tense."""

from collections.abc import Callable

from .draw import Draw
from .frames import INTRANSITIVE, PERSONAL, TRANSITIVE, Action
from .noun_phrases import NounPhrase, noun_phrase
from .nouns import noun
from .pastimes import (
    OBJECT_PRONOUNS,
    giving,
    learning,
    playing,
    pronoun_for,
    routine,
    with_somebody,
)
from .phrase import EMPTY, Phrase, Rendering, Word, pair, spanish_only
from .places import CITIES, COUNTRIES, destination, place
from .subjects import somebody_else, thing
from .times import at_hour
from .verbs import VERBS

_WARM = {"eat": "delicious", "drink": "hot cold", "cook": "", "wash": "dirty", "clean": "dirty",
         "order": "cold", "repair": "broken"}  # fmt: skip


def action(draw: Draw, subject: NounPhrase) -> Action:
    """Something that this person may do."""
    kind: Callable[[Draw, NounPhrase], Action] = draw.weighted(
        (
            (_transitive, 40),
            (_personal, 9),
            (_object_pronoun, 6),
            (_intransitive, 14),
            (_motion, 14),
            (routine, 4),
            (giving, 8),
            (learning, 7),
            (playing, 5),
        )
    )
    return kind(draw, subject)


def animal_action(draw: Draw) -> Action:
    """Something that an animal of the house may do."""
    verb, objects, places = draw.one(
        (
            ("eat", "meat fish carrot", ("garden", "kitchen")),
            ("drink", "milk water", ("garden", "kitchen")),
            ("sleep", "", ("bed", "sofa", "garden", "kitchen", "living room")),
            ("run", "", ("garden", "park", "street", "beach")),
            ("rest", "", ("garden", "sofa", "bedroom")),
        )
    )
    where = place(draw, places, spanish="por" if verb == "run" else "en")
    if not objects:
        return Action(VERBS[verb], (where,), "daily")
    food = thing(draw, objects, bare=True, qualities="cold" if verb == "drink" else "")
    complements = (food.phrase, where) if draw.chance(0.35) else (food.phrase,)
    return Action(VERBS[verb], complements, "daily")


def _transitive(draw: Draw, subject: NounPhrase) -> Action:
    frame = draw.one(TRANSITIVE)
    while frame.verb is VERBS["wear"] and subject.plural:
        frame = draw.one(TRANSITIVE)
    found = thing(
        draw,
        frame.objects,
        subject,
        bare=frame.bare,
        own=frame.own,
        several=frame.several,
        definite=frame.known,
        qualities=_WARM.get(frame.verb.base, ""),
    )
    said = found.phrase
    if frame.verb.spanish_extra or (found.noun and found.noun.is_any("pet") and found.definite):
        said = spanish_only("a") + said
    where = place(draw, frame.places) if draw.chance(0.3) else EMPTY
    return Action(frame.verb, (said, where), frame.use)


def _personal(draw: Draw, subject: NounPhrase) -> Action:
    frame = draw.one(PERSONAL)
    where = place(draw, frame.places) if draw.chance(0.4) else EMPTY
    return Action(frame.verb, (somebody_else(draw, subject).as_object(), where), frame.use)


def _object_pronoun(draw: Draw, subject: NounPhrase) -> Action:
    frame = draw.one(PERSONAL)
    pronoun = pronoun_for(draw, subject)
    word = Word(pronoun)
    clitic = Rendering(OBJECT_PRONOUNS[pronoun][0], (word,))
    where = place(draw, frame.places) if draw.chance(0.4) else EMPTY
    return Action(frame.verb, (Phrase((word,)), where), frame.use, clitic)


def _intransitive(draw: Draw, subject: NounPhrase) -> Action:
    frame = draw.one(INTRANSITIVE)
    company = EMPTY
    if frame.verb.base in ("live", "dance", "walk", "eat", "study") and draw.chance(0.3):
        company = with_somebody(draw, subject)
    if frame.verb.base == "live" and draw.chance(0.6):
        where = pair("in", "en") + pair(*draw.one(CITIES))
    elif frame.verb.base == "live":
        where = _home(draw)
    else:
        along = "por" if frame.verb.base in ("walk", "run") else "en"
        where = place(draw, frame.places, described=True, spanish=along)
    return Action(frame.verb, (company, where), frame.use)


def _home(draw: Draw) -> Phrase:
    return pair("in", "en") + thing(draw, "house apartment village city", several=False).phrase


def _motion(draw: Draw, subject: NounPhrase) -> Action:
    kind = draw.weighted(
        (("go", 5), ("travel", 2), ("arrive", 2), ("return", 2), ("leave", 1.5), ("walk", 1))
    )
    company = with_somebody(draw, subject) if draw.chance(0.25) else EMPTY
    if kind in ("go", "walk"):
        return Action(VERBS[kind], (destination(draw), company), "daily")
    if kind == "travel":
        where = pair("to", "a") + pair(*draw.one(CITIES + COUNTRIES))
        return Action(VERBS["travel"], (where, company), "project")
    if kind == "arrive":
        spot = noun(draw.one(("station", "airport", "hotel", "restaurant", "office", "park")))
        arrived = pair("at", "a") + noun_phrase(spot).phrase
        at = at_hour(draw) if draw.chance(0.4) else EMPTY
        return Action(VERBS["arrive"], (arrived,), "moment", hour=at)
    if kind == "return":
        return Action(VERBS["return"], (destination(draw, spanish="de"),), "moment")
    left = noun_phrase(noun(draw.one(("office", "house", "school", "theater", "museum"))))
    at = at_hour(draw) if draw.chance(0.4) else EMPTY
    return Action(VERBS["leave"], (spanish_only("de") + left.phrase,), "moment", hour=at)
