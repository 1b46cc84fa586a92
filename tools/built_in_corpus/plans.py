"""Tense, modality, negation, adverbs and time of an action."""

from dataclasses import dataclass

from .draw import Draw
from .frames import Action
from .noun_phrases import NounPhrase
from .phrase import EMPTY, Phrase, pair
from .times import time
from .verb_groups import VerbGroup, verb_group

_TENSES = {
    "daily": (("present", 3), ("progressive", 2.2), ("past", 3), ("future", 1.2),
              ("going_to", 1.8), ("perfect", 1), ("just", 0.6), ("modal", 1.8),
              ("past_progressive", 0.8)),
    "event": (("progressive", 1.5), ("past", 4), ("future", 1.5), ("going_to", 2),
              ("perfect", 1), ("just", 0.8), ("modal", 2), ("past_progressive", 0.5)),
    "moment": (
        ("past", 4),
        ("future", 1.5),
        ("going_to", 2),
        ("perfect", 1),
        ("just", 0.8),
        ("modal", 2),
    ),
    "project": (("past", 4), ("future", 1.5), ("going_to", 2), ("perfect", 1), ("just", 0.8),
                ("modal", 2)),
    "loss": (("past", 5), ("perfect", 1), ("just", 0.6)),
    "ongoing": (("progressive", 4), ("past_progressive", 1.5)),
    "routine": (("present", 3), ("past", 3), ("future", 1), ("going_to", 1.5), ("modal", 1)),
    "state": (("present", 4), ("modal", 1.5)),
}  # fmt: skip
_MODALS = (("want to", 3), ("can", 2), ("have to", 2), ("need to", 1), ("must", 1), ("should", 1))
_PAST_MODALS = (("want to", 2), ("have to", 2), ("need to", 1))


@dataclass(frozen=True)
class Plan:
    """How to say an action once."""

    tense: str
    modal: str = ""
    negative: bool = False
    time: Phrase = EMPTY
    adverb: Phrase = EMPTY
    adverb_last: bool = False

    def group(self, action: Action, subject: NounPhrase, *, question: bool = False) -> VerbGroup:
        """The verb group of the action in this plan."""
        return verb_group(
            action.verb,
            self.tense,
            subject,
            modal=self.modal,
            negative=self.negative,
            question=question,
            adverb=self.adverb,
            adverb_last=self.adverb_last,
            clitic=action.clitic,
        )


def plan(
    draw: Draw,
    action: Action,
    *,
    tenses: str = "",
    question: bool = False,
    negative: float = 0.2,
    timed: float = 0.6,
) -> Plan:
    """A tense that makes sense for the action, with a time that makes sense for the tense.

    Args:
        draw: where the choices come from.
        action: what is done.
        tenses: the only tenses wanted, if the action allows one of them.
        question: whether it is for a question.
        negative: how likely a negation is.
        timed: how likely an adverb of time is where none is needed.
    """
    allowed = [(t, w) for t, w in _TENSES[action.use] if not tenses or t in tenses.split()]
    tense = draw.weighted(allowed or _TENSES[action.use])
    if action.use == "state" and action.verb.stative and draw.chance(0.3):
        tense = "past"
    refused = tense != "just" and draw.chance(negative)
    if tense == "modal":
        return _modal(draw, action, refused, timed)
    if tense == "present":
        return _present(draw, action, refused, question)
    if tense == "perfect":
        return _perfect(draw, refused, question)
    if tense == "just":
        return Plan(tense)
    kinds = {"past": "past", "future": "future", "going_to": "future", "progressive": "now"}
    kind = kinds.get(tense, "")
    if action.use == "project" and kind != "now":
        kind = f"long {kind}"
    if action.use == "routine" and kind == "past":
        kind = "day past"
    ambiguous = tense == "past" and action.verb.past == action.verb.base
    likely = timed * (0.55 if tense == "progressive" else 1)
    if action.use == "state" or not kind or not (ambiguous or draw.chance(likely)):
        return Plan(tense, negative=refused)
    return Plan(tense, negative=refused, time=time(draw, kind))


def _present(draw: Draw, action: Action, refused: bool, question: bool) -> Plan:
    if action.use == "state":
        return Plan("present", negative=refused)
    if not refused and not question and draw.chance(0.35):
        return Plan("present", adverb=time(draw, "frequency"))
    if draw.chance(0.4 if refused or question else 0.9):
        kind = "day" if action.use == "routine" else "habit"
        return Plan("present", negative=refused, time=time(draw, kind))
    if refused or question:
        return Plan("present", negative=refused)
    return Plan("present", adverb=time(draw, "frequency"))


def _perfect(draw: Draw, refused: bool, question: bool) -> Plan:
    if refused:
        yet = pair("yet", "todavía")
        return Plan("perfect", negative=True, adverb=yet, adverb_last=True)
    if question or draw.chance(0.6):
        return Plan("perfect", adverb=pair("already", "ya"))
    today = pair("today", "hoy") if draw.chance(0.5) else pair("this week", "esta semana")
    return Plan("perfect", time=today)


def _modal(draw: Draw, action: Action, refused: bool, timed: float) -> Plan:
    if action.use == "state":
        return Plan("present", "want to" if action.verb.stative else "can", refused)
    if draw.chance(0.2):
        return Plan("past", draw.weighted(_PAST_MODALS), refused)
    kind = "long future" if action.use == "project" else "future"
    when = time(draw, kind) if draw.chance(timed * 0.4) else EMPTY
    return Plan("present", draw.weighted(_MODALS), refused, when)
