"""Sentences about what people and animals do: statements, questions and imperatives."""

from keras_bahdanau.training.corpora.built_in import AlignedPair

from .actions import action, animal_action
from .clauses import comma, order, question, statement
from .draw import Draw
from .frames import Action
from .noun_phrases import NounPhrase, noun_phrase
from .nouns import Noun, nouns_of
from .phrase import EMPTY, Phrase, arrange, pair, sentence, spanish_only
from .places import place
from .plans import Plan, plan
from .subjects import person, pet, thing
from .verbs import VERBS

_WHAT = (
    ("eat", "daily"), ("drink", "daily"), ("read", "daily"), ("write", "event"),
    ("buy", "event"), ("cook", "daily"), ("do", "daily"), ("look for", "ongoing"),
    ("paint", "event"), ("repair", "event"), ("sing", "event"), ("watch", "daily"),
    ("learn", "event"), ("study", "daily"), ("carry", "ongoing"), ("sell", "event"),
    ("order", "loss"), ("find", "loss"), ("lose", "loss"), ("win", "loss"),
)  # fmt: skip
_COUNTED = (
    ("buy", "book shirt flower ticket chair gift grocery", "event"),
    ("eat", "fruit egg cookie sandwich", "loss"),
    ("read", "book novel letter", "loss"),
    ("write", "letter message poem", "event"),
    ("send", "letter message photo", "event"),
    ("plant", "tree flower", "loss"),
    ("sell", "car bicycle house book", "loss"),
    ("answer", "question exercise", "event"),
)
_WHERE = ("work", "live", "sleep", "study", "eat", "swim", "run", "wait~alone", "walk", "rest")
_ORDERS = (
    ("open", "openable", ""), ("close", "openable", ""), ("read", "readable", ""),
    ("clean", "cleanable", ""), ("wash", "dishes clothes", "dirty"), ("turn on", "light radio", ""),
    ("turn off", "light radio television", ""), ("buy", "grocery", ""), ("eat", "fruit dish", ""),
    ("drink", "milk water tea", "cold hot"), ("write", "mail", ""), ("use", "dictionary map", ""),
    ("repair", "bicycle clock", "broken"), ("wait for", "bus train", ""), ("sell", "car house", ""),
    ("forget", "key ticket umbrella", ""), ("answer", "question", ""), ("finish", "exercise", ""),
)  # fmt: skip


def told(draw: Draw) -> AlignedPair:
    """A statement about what somebody does."""
    subject = person(draw)
    done = action(draw, subject)
    return sentence(_said(draw, subject, done, plan(draw, done)))


def told_of_animals(draw: Draw) -> AlignedPair:
    """A statement about what an animal does."""
    subject, done = pet(draw), animal_action(draw)
    tenses = "present progressive past past_progressive perfect"
    return sentence(_said(draw, subject, done, plan(draw, done, tenses=tenses)))


def asked_whether(draw: Draw) -> AlignedPair:
    """A yes-no question."""
    subject = person(draw, pronouns="dropped")
    done = action(draw, subject)
    tenses = "present progressive past future going_to perfect modal"
    how = plan(draw, done, tenses=tenses, question=True, negative=0, timed=0.4)
    group = how.group(done, subject, question=True)
    end = (*(done.complements or (EMPTY,)), _day_and_hour(how, done))
    return sentence(question(subject, group, *end, predicate=done.manner), "?")


def asked_when_or_why(draw: Draw) -> AlignedPair:
    """A wh-question about time or reason."""
    subject = person(draw, pronouns="dropped")
    done = action(draw, subject)
    while done.use == "routine" or done.verb is VERBS["arrive"]:
        done = action(draw, subject)
    why = draw.chance(0.5) or done.use in ("ongoing", "state")
    tenses = "progressive past going_to" if why else "past future going_to"
    refusing = 0.35 if why and subject.pronoun and done.use != "loss" else 0.0
    how = plan(draw, done, tenses=tenses, question=True, negative=refusing, timed=0.25)
    if not why:
        how = Plan(how.tense)
    asked = pair("why", "por qué") if why else pair("when", "cuándo")
    group = how.group(done, subject, question=True)
    end = (*(done.complements or (EMPTY,)), how.time)
    return sentence(question(subject, group, *end, asked=asked), "?")


def asked_what(draw: Draw) -> AlignedPair:
    """A wh-question about the object: what, which, how many, how much."""
    subject = person(draw, pronouns="asked")
    kind = draw.weighted((("what", 5), ("which", 2), ("how many", 3)))
    if kind == "what":
        verb, use = draw.one(_WHAT)
        asked = pair("what", "qué")
    else:
        verb, objects, use = draw.one(_COUNTED)
        asked = _which_or_how_many(draw, draw.one(nouns_of(objects)), kind)
    done = Action(VERBS[verb], (), use)
    tenses = "progressive past going_to future" if kind == "what" else "past going_to"
    how = plan(draw, done, tenses=tenses, question=True, negative=0, timed=0.4)
    group = how.group(done, subject, question=True)
    return sentence(question(subject, group, EMPTY, how.time, asked=asked), "?")


def asked_where(draw: Draw) -> AlignedPair:
    """A wh-question about place."""
    asked = pair("where", "dónde")
    if draw.chance(0.6):
        subject = person(draw, pronouns="dropped")
        verb, kinds = draw.one(
            (("buy", "clothes present device furniture book fruit"), ("find", "losable"),
             ("lose", "losable"), ("see", "animal movie"), ("learn", "song poem"))
        )  # fmt: skip
        found = thing(draw, kinds, subject, own=verb in ("find", "lose"), definite=True)
        done = Action(VERBS[verb], (_seen(found),), "loss")
        how = Plan("past")
    else:
        subject = person(draw, pronouns="asked")
        verb = draw.one(_WHERE)
        use = {"live": "state", "wait~alone": "ongoing"}.get(verb, "daily")
        done = Action(VERBS[verb], (), use)
        tenses = "progressive past going_to present"
        how = plan(draw, done, tenses=tenses, question=True, negative=0, timed=0.3)
    group = how.group(done, subject, question=True)
    end = (*(done.complements or (EMPTY,)), how.time)
    return sentence(question(subject, group, *end, asked=asked), "?")


def asked_who(draw: Draw) -> AlignedPair:
    """A wh-question about the subject."""
    who = NounPhrase(pair("who", "quién"), "m", "3s")
    done = action(draw, who)
    tenses = "progressive past going_to future modal"
    how = plan(draw, done, tenses=tenses, negative=0, timed=0.4)
    return sentence(_said(draw, who, done, how), "?")


def ordered(draw: Draw) -> AlignedPair:
    """An imperative or a request, second person singular."""
    please = comma() + pair("please", "por favor") if draw.chance(0.5) else EMPTY
    if draw.chance(0.25):
        there = place(draw, ("table", "desk", "box", "bag", "kitchen", "suitcase", "bed"))
        phrase = order(VERBS["put"], _imperative_object(draw, "thing dishes", ""), there)
        return sentence(phrase + please)
    verb, kinds, qualities = draw.one(_ORDERS)
    refused = verb == "forget" or draw.chance(0.35)
    found = _imperative_object(draw, kinds, qualities)
    return sentence(order(VERBS[verb], found, negative=refused) + please)


def _imperative_object(draw: Draw, kinds: str, qualities: str) -> Phrase:
    choices = nouns_of(kinds, without="table")
    kind = draw.one(choices)
    determiner = draw.weighted((("the", 6), ("this", 1), ("that", 1)))
    plural = not kind.is_any("mass") and draw.chance(0.35)
    if qualities and draw.chance(0.3):
        return thing(draw, kinds, qualities=qualities, choices=(kind,), several=False).phrase
    return noun_phrase(kind, determiner, plural=plural).phrase


def _said(draw: Draw, subject: NounPhrase, done: Action, how: Plan) -> Phrase:
    group = how.group(done, subject)
    end = (done.manner, *done.complements)
    early = how.tense in ("past", "future", "going_to", "present")
    if early and subject.noun is not None and draw.chance(0.2):
        return statement(subject, group, *end, done.hour, first=how.time)
    return statement(subject, group, *end, _day_and_hour(how, done))


def _day_and_hour(how: Plan, done: Action) -> Phrase:
    """English says the hour and then the day, Spanish the day and then the hour."""
    return arrange((done.hour, how.time), (how.time, done.hour))


def _which_or_how_many(draw: Draw, counted: Noun, kind: str) -> Phrase:
    feminine = counted.gender == "f"
    mass = counted.is_any("mass")
    plural = not mass and (kind != "which" or draw.chance(0.4))
    one = noun_phrase(counted, "", plural=plural).phrase
    if kind == "which" and not mass:
        return pair("which", "qué") + one
    if mass:
        return pair("how much", "cuánta" if feminine else "cuánto") + one
    return pair("how many", "cuántas" if feminine else "cuántos") + one


def _seen(found: NounPhrase) -> Phrase:
    if found.noun and found.noun.is_any("pet") and found.definite:
        return spanish_only("a") + found.phrase
    return found.phrase
