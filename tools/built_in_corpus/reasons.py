"""Clauses of reason: causes of actions and of feelings."""

from keras_bahdanau.training.corpora.built_in import AlignedPair

from .actions import action
from .adjectives import adjective
from .clauses import statement
from .descriptions import is_, predicate
from .draw import Draw
from .noun_phrases import noun_phrase
from .nouns import nouns_of
from .phrase import pair, sentence
from .plans import plan
from .subjects import again, overlap, person, thing
from .verb_groups import copula, verb_group
from .verbs import VERBS

_BLOWS = (
    ("happy", "find", "losable"),
    ("sad", "lose", "losable"),
    ("worried", "lose", "key wallet"),
    ("angry", "break", "breakable"),
    ("nervous", "forget", "losable"),
)
_NEEDS = (
    ("hungry", "hambre", "eat", "dish fruit"),
    ("thirsty", "sed", "drink", "water beer milk"),
    ("cold", "frío", "wear", "coat jacket hat scarf"),
    ("cold", "frío", "drink", "tea coffee"),
)


def because(draw: Draw) -> AlignedPair:
    """What keeps somebody from doing something, the subject said once in Spanish."""
    subject = person(draw)
    done = action(draw, subject)
    while done.use in ("state", "routine", "loss", "ongoing"):
        done = action(draw, subject)
    how = plan(draw, done, tenses="past going_to modal", negative=1.0, timed=0.0)
    past = how.tense == "past"
    main = statement(subject, how.group(done, subject), *done.complements, how.time)
    they = again(subject)
    state = adjective(draw.one(("tired", "sick", "busy")))
    is_so = is_(state, "past" if past else "present", they)
    reason = statement(they, is_so, predicate(draw, state, they, 0.4))
    return sentence(main + pair("because", "porque") + reason)


def because_of_need(draw: Draw) -> AlignedPair:
    """What somebody eats, drinks or wears out of hunger, thirst or cold."""
    subject = person(draw)
    english, spanish, key, kinds = draw.one(_NEEDS)
    found = draw.one(nouns_of(kinds))
    plural = subject.plural and key == "wear"
    bare = plural or found.is_any("mass")
    what = noun_phrase(found, "" if bare else "a", plural=plural)
    tense, then = draw.one(
        (("progressive", "present"), ("going_to", "present"), ("past", "past"),
         ("past_progressive", "past"))
    )  # fmt: skip
    if key == "wear" and tense == "past":
        tense = "past_progressive"
    main = statement(subject, verb_group(VERBS[key], tense, subject), what.phrase)
    they = again(subject)
    felt = pair(english, spanish)
    if draw.chance(0.3):
        felt = pair("very", "mucha" if spanish in ("hambre", "sed") else "mucho") + felt
    reason = statement(they, copula("tener", then, they), felt)
    return sentence(main + pair("because", "porque") + reason)


def moved(draw: Draw) -> AlignedPair:
    """What made somebody happy or sad."""
    subject = person(draw)
    feeling, key, kinds = draw.one(_BLOWS)
    state = adjective(feeling)
    main = statement(subject, is_(state, "present", subject), predicate(draw, state, subject, 0.3))
    doer = again(subject)
    if key == "break":
        doer = person(draw, pronouns="none")
        while overlap(doer, subject):
            doer = person(draw, pronouns="none")
    what = thing(draw, kinds, subject, own=key != "break", several=False, definite=True)
    event = statement(doer, verb_group(VERBS[key], "past", doer), what.phrase)
    return sentence(main + pair("because", "porque") + event)
