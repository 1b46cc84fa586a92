"""Pastimes and duties: studying, playing, getting up, giving."""

from .draw import Draw
from .frames import Action
from .noun_phrases import NounPhrase
from .phrase import EMPTY, Phrase, Rendering, Word, pair
from .places import place
from .subjects import somebody_else, thing
from .times import at_hour
from .verbs import VERBS

OBJECT_PRONOUNS = {
    "me": ("me", "1s"),
    "you": ("te", "2s"),
    "us": ("nos", "1p"),
    "him": ("lo", "3s"),
    "her": ("la", "3s"),
}
_LANGUAGES = (
    ("English", "inglés"),
    ("Spanish", "español"),
    ("French", "francés"),
    ("Italian", "italiano"),
    ("German", "alemán"),
    ("Portuguese", "portugués"),
)
_SUBJECTS = (("mathematics", "matemáticas"), ("history", "historia"), ("music", "música"))
_HOMEWORK_OWNERS = {"my": "mis", "your": "tus", "our": "nuestros", "the": "los"}
_GAMES = (
    ("soccer", "al fútbol"),
    ("tennis", "al tenis"),
    ("basketball", "al baloncesto"),
    ("chess", "al ajedrez"),
    ("cards", "a las cartas"),
)


def routine(draw: Draw, subject: NounPhrase) -> Action:
    """Getting up and going to bed."""
    key, low, high = draw.one((("get up", 6, 10), ("wake up", 5, 9), ("go to bed", 9, 12)))
    verb = VERBS[key]
    if draw.chance(0.4):
        return Action(verb, (), "routine", hour=at_hour(draw, low, high))
    manner = pair(*draw.one((("early", "temprano"), ("late", "tarde"))))
    return Action(verb, (), "routine", manner=manner)


def giving(draw: Draw, subject: NounPhrase) -> Action:
    """Giving something to somebody."""
    verb, gifts = draw.one(
        (
            ("give", "present book key ticket umbrella notebook"),
            ("send", "letter message photo gift flower"),
            ("show", "photo picture map letter"),
            ("bring", "present coffee newspaper cake"),
        )
    )
    gift = thing(draw, gifts, subject)
    if draw.chance(0.5):
        pronoun = pronoun_for(draw, subject)
        word = Word(pronoun)
        spanish = "le" if pronoun in ("him", "her") else OBJECT_PRONOUNS[pronoun][0]
        return Action(
            VERBS[verb], (Phrase((word,)), gift.phrase), "event", Rendering(spanish, (word,))
        )
    receiver = somebody_else(draw, subject)
    to = pair("to", "a") + receiver.phrase
    le = Rendering("les" if receiver.plural else "le", to.english[:1])
    return Action(VERBS[verb], (gift.phrase, to), "event", le)


def learning(draw: Draw, subject: NounPhrase) -> Action:
    """Studying, teaching and speaking."""
    kind = draw.weighted((("study", 2), ("learn", 2), ("teach", 1), ("speak", 2), ("homework", 2)))
    if kind == "homework":
        owner = subject.possessive or "the"
        spanish = _HOMEWORK_OWNERS.get(owner, "sus")
        return Action(VERBS["do"], (pair(owner, spanish) + pair("homework", "deberes"),), "daily")
    if kind == "speak":
        return Action(VERBS["speak"], (_language(draw),), "state")
    topic = pair(*draw.one(_SUBJECTS)) if kind != "learn" and draw.chance(0.5) else _language(draw)
    where = place(draw, ("school", "university")) if draw.chance(0.4) else EMPTY
    return Action(VERBS[kind], (topic, where), "daily")


def playing(draw: Draw, subject: NounPhrase) -> Action:
    """Games, music and television."""
    kind = draw.weighted((("play~game", 3), ("television", 2), ("music", 2)))
    if kind == "television":
        where = place(draw, ("living room", "bedroom", "home")) if draw.chance(0.4) else EMPTY
        return Action(VERBS["watch"], (pair("television", "la televisión"), where), "daily")
    if kind == "music":
        where = place(draw, ("living room", "bedroom", "park")) if draw.chance(0.4) else EMPTY
        return Action(VERBS["listen to"], (pair("music", "música"), where), "daily")
    extra = with_somebody(draw, subject) if draw.chance(0.5) else EMPTY
    return Action(VERBS[kind], (pair(*draw.one(_GAMES)), extra), "daily")


def with_somebody(draw: Draw, subject: NounPhrase) -> Phrase:
    """In whose company: "with my sister", "with me" ("conmigo")."""
    if draw.chance(0.25) and subject.person not in ("1s", "1p", "2s"):
        return pair(*draw.one((("with me", "conmigo"), ("with us", "con nosotros"))))
    return pair("with", "con") + somebody_else(draw, subject).phrase


def pronoun_for(draw: Draw, subject: NounPhrase) -> str:
    """An English object pronoun that is not the subject."""
    fitting = [
        text for text, (_, who) in OBJECT_PRONOUNS.items()
        if who[0] != subject.person[0] or (who == "3s" and subject.pronoun not in ("he", "she"))
    ]  # fmt: skip
    return draw.one(fitting)


def _language(draw: Draw) -> Phrase:
    first, second = draw.shuffled(_LANGUAGES)[:2]
    if draw.chance(0.75):
        return pair(*first)
    return pair(*first) + pair("and", "y") + pair(*second)
