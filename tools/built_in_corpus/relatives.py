"""Relative clauses, passives and exclamations."""

from keras_bahdanau.training.corpora.built_in import AlignedPair

from .adjectives import adjective, adjectives_for, clash
from .clauses import statement
from .conjugation import conjugate, participle
from .descriptions import is_, predicate
from .draw import Draw
from .noun_phrases import NounPhrase, noun_phrase
from .nouns import nouns_of
from .phrase import EMPTY, Phrase, Rendering, Word, arrange, pair, sentence
from .subjects import people, person, somebody_else
from .subordination import ongoing
from .times import time
from .verb_groups import copula, verb_group
from .verbs import VERBS

_MADE = (
    ("build", "house bridge school hospital church museum", "long"),
    ("write", "letter novel song poem article report message", "long"),
    ("paint", "picture wall door house chair", "long"),
    ("sell", "house car picture piano bicycle", "long"),
    ("repair", "computer bicycle clock camera truck", "short"),
    ("find", "wallet key phone umbrella", "short"),
    ("steal", "car bicycle camera wallet computer", "short"),
    ("cook", "fish rice meat soup", "short"),
    ("plant", "tree flower", "long"),
    ("clean", "kitchen bathroom window office classroom", "short"),
    ("wash", "shirt car plate", "short"),
)
_RELATED = (
    ("buy", "book dress car shirt lamp table house phone bicycle"),
    ("read", "book novel article letter story"),
    ("write", "letter novel poem song report"),
    ("see", "movie match"),
    ("sell", "car house bicycle piano"),
    ("paint", "picture chair door"),
    ("visit", "museum city village church"),
    ("cook", "meat rice soup fish"),
    ("repair", "bicycle camera computer boat"),
    ("wear", "shirt coat hat jacket scarf"),
    ("order", "cake pizza salad coffee"),
)
_UNFIT = (
    "good", "open", "closed", "dirty", "clean", "empty", "full", "broken", "Spanish", "Italian",
    "French", "German", "new", "old",
)  # fmt: skip
_REMARKABLE = (
    "pretty", "big", "small", "expensive", "cheap", "interesting", "boring", "long", "delicious",
    "comfortable", "intelligent", "modern", "strong",
)  # fmt: skip


def relative_subject(draw: Draw) -> AlignedPair:
    """A relative clause whose antecedent is its subject: "the man who is reading"."""
    who = people(draw, plural_chance=0.25, pointing=False)
    done = ongoing(draw, who)
    link = pair("who", "que")
    is_doing = verb_group(done.verb, "progressive", who)
    described = arrange(
        (who.phrase, link, is_doing.auxiliary, is_doing.rest, *done.complements),
        (who.phrase, link, is_doing.spanish, *done.complements),
    )
    subject = NounPhrase(described, who.gender, who.person, who.noun, human=True)
    if draw.chance(0.5):
        kin = draw.one([k for k in nouns_of("kin", "plural boss") if k.gender == who.gender])
        if who.noun is not None and who.noun.is_any("young"):
            fits = "brother sister cousin friend neighbor"
            kin = draw.one([k for k in nouns_of(fits) if k.gender == who.gender])
        what = noun_phrase(kin, draw.one(("my", "your", "our")), plural=who.plural)
        return sentence(statement(subject, copula("ser", "present", subject), what.phrase))
    choices = [adjective(a) for a in ("tall", "friendly", "intelligent", "tired", "happy", "young")]
    quality = draw.one([a for a in choices if not clash(who.quality, a)])
    is_so = is_(quality, "present", subject)
    return sentence(statement(subject, is_so, predicate(draw, quality, who)))


def relative_object(draw: Draw) -> AlignedPair:
    """A relative clause whose antecedent is its object: "the book that I bought"."""
    key, kinds = draw.one(_RELATED)
    noun = draw.one(nouns_of(kinds))
    plural = draw.chance(0.3) and not noun.is_any("mass") and key != "wear"
    what = noun_phrase(noun, "the", plural=plural)
    who = person(draw)
    while key == "wear" and who.plural:
        who = person(draw)
    tense = "progressive" if key == "wear" else "past"
    group = verb_group(VERBS[key], tense, who)
    link = pair("that", "que")
    kind = "long past" if key in ("buy", "sell", "paint", "visit") else "past"
    said = time(draw, kind) if tense == "past" and draw.chance(0.5) else EMPTY
    described = statement(who, group, said, first=what.phrase + link)
    subject = NounPhrase(described, what.gender, what.person, noun)
    fitting = [a for a in adjectives_for(noun) if a.english not in _UNFIT]
    quality = draw.one(fitting)
    now = "past" if noun.is_any("food drink event") else "present"
    return sentence(
        statement(subject, is_(quality, now, subject), predicate(draw, quality, subject, 0.4))
    )


def passive(draw: Draw) -> AlignedPair:
    """A passive: the participle agrees with the subject."""
    key, kinds, scale = draw.one(_MADE)
    noun = draw.one(nouns_of(kinds))
    plural = not noun.is_any("mass") and draw.chance(0.4)
    determiner = draw.weighted((("the", 4), ("this", 1), ("that", 1)))
    subject = noun_phrase(noun, determiner, plural=plural)
    verb = VERBS[key]
    done = participle(verb.spanish)[:-1] + ("a" if noun.gender == "f" else "o")
    done += "s" if subject.plural else ""
    be = Word("were" if subject.plural else "was")
    spoken = verb.english("participle")
    passive_verb = Phrase(
        (be, *spoken),
        (
            Rendering(conjugate("ser", "preterite", subject.person), (be,)),
            Rendering(done, spoken),
        ),
    )
    by = EMPTY
    if key not in ("steal", "find", "sell") and draw.chance(0.55):
        maker = somebody_else(draw, subject)
        if key == "build":
            maker = noun_phrase(draw.one(nouns_of("engineer architect")), plural=draw.chance(0.6))
        by = pair("by", "por") + maker.phrase
    said = time(draw, "long past" if scale == "long" else "past")
    said = said if not by.english or draw.chance(0.3) else EMPTY
    return sentence(subject.phrase + passive_verb + by + said)


def exclaimed(draw: Draw) -> AlignedPair:
    """An exclamation: "What a pretty house!", "¡Qué casa tan bonita!"."""
    noun = draw.one(nouns_of("clothes ride home building show content food pet animal instrument"))
    fitting = [a for a in adjectives_for(noun) if a.english in _REMARKABLE]
    if not fitting:
        return exclaimed(draw)
    quality = draw.one(fitting)
    plural = noun.is_any("plural pairs")
    counted = not plural and not noun.is_any("mass")
    what = pair("what a" if counted else "what", "qué", "0-0 1-0" if counted else None)
    head = noun_phrase(noun, "", plural=plural).phrase
    stated = pair(quality.english, f"tan {quality.form(noun.gender, plural)}")
    return sentence(arrange((what, stated, head), (what, head, stated)), "!")
