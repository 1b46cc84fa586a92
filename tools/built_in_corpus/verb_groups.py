"""Verb groups: the English auxiliaries and verb forms beside the Spanish ones."""

from dataclasses import dataclass, replace

from .conjugation import conjugate, gerund, participle
from .noun_phrases import NounPhrase
from .phrase import EMPTY, Phrase, Rendering, Word
from .verbs import VERBS, Verb

# English words -> Spanish verb, its tense, and the Spanish word between it and the infinitive.
_MODALS = {
    "can": ("poder", "present"),
    "must": ("deber", "present"),
    "should": ("deber", "conditional"),
}
_SEMI_MODALS = {"want to": "want", "need to": "need", "have to": "have~to"}
_CONTRACTIONS = {"can": "can't", "will": "won't"}
_CLITICS = {"1s": "me", "2s": "te", "3s": "se", "1p": "nos", "3p": "se"}


@dataclass(frozen=True)
class VerbGroup:
    """The verb of a clause with all that moves with it.

    English is in pieces, because a question puts the subject after the `auxiliary`; Spanish
    (negation, clitic and verbs) stays together. `last` are English words for the clause's end.
    """

    auxiliary: Phrase
    middle: Phrase
    rest: Phrase
    spanish: Phrase
    last: Phrase = EMPTY


def be(tense: str, person: str) -> str:
    """The English form of "to be" in the "present" or the "past"."""
    if tense == "present":
        return {"1s": "am", "3s": "is"}.get(person, "are")
    return "was" if person in ("1s", "3s") else "were"


def verb_group(
    verb: Verb,
    tense: str,
    subject: NounPhrase,
    *,
    modal: str = "",
    negative: bool = False,
    question: bool = False,
    adverb: Phrase = EMPTY,
    adverb_last: bool = False,
    clitic: Rendering | None = None,
) -> VerbGroup:
    """Builds a verb group.

    Args:
        verb: the verb that carries the meaning.
        tense: "present", "past", "progressive", "past_progressive", "future", "going_to",
            "perfect" or "just" ("has just eaten"). "can", "must" and "should" want "present".
        subject: what the verb agrees with.
        modal: "can", "must", "should", "want to", "need to", "have to", or "" for none.
        negative: "not", contracted in English after a pronoun.
        question: whether English needs an auxiliary to invert.
        adverb: in English between auxiliary and verb, in Spanish before all.
        adverb_last: whether English says the adverb at the end of the clause instead.
        clitic: a Spanish object pronoun; before the finite verb, or joined to an infinitive.
    """
    if verb.reflexive:
        clitic = Rendering(_CLITICS[subject.person])
    head = VERBS[_SEMI_MODALS[modal]] if modal in _SEMI_MODALS else verb
    auxiliary, rest, finite = _finite(head, tense, subject, modal, negative or question)
    if modal:
        tail = verb.english("base")
        to = () if modal in _MODALS else (Word("to"),)
        rest = rest + to + tail
        if modal == "have to":
            finite += (Rendering("que", to),)
            to = ()
        finite += (Rendering(verb.spanish, to + tail),)
    spanish = _with_clitic(finite, clitic, verb.spanish)
    core = rest[-1 - len(verb.particle.split()) :]
    spanish += tuple(Rendering(word, core) for word in verb.spanish_extra.split())
    group = VerbGroup(Phrase(auxiliary), EMPTY, Phrase(rest), Phrase((), spanish))
    group = _negated(group, subject) if negative else group
    return _with_adverb(group, adverb, adverb_last)


def copula(
    spanish: str,
    tense: str,
    subject: NounPhrase,
    *,
    spanish_tense: str = "",
    negative: bool = False,
    adverb: Phrase = EMPTY,
) -> VerbGroup:
    """The English "to be" with the Spanish verb that means it here.

    Args:
        spanish: "ser", "estar", "tener", "hacer" or "haber", by meaning.
        tense: "present", "past" or "future".
        subject: what the verbs agree with.
        spanish_tense: of the past, if not the imperfect.
        negative: "not", contracted in English after a pronoun.
        adverb: as in `verb_group`.
    """
    past = spanish_tense or "imperfect"
    form = conjugate(spanish, past if tense == "past" else tense, subject.person)
    if (spanish, tense) == ("haber", "present"):
        form = "hay"
    own = () if subject.said else subject.phrase.english
    if tense == "future":
        auxiliary, rest = (Word("will"),), (Word("be"),)
    else:
        auxiliary, rest = (Word(be(tense, subject.person)),), ()
    finite = Phrase((), (Rendering(form, own + auxiliary + rest),))
    group = VerbGroup(Phrase(auxiliary), EMPTY, Phrase(rest), finite)
    group = _negated(group, subject) if negative else group
    return _with_adverb(group, adverb, False)


def _finite(
    verb: Verb, tense: str, subject: NounPhrase, modal: str, needs_auxiliary: bool
) -> tuple[tuple[Word, ...], tuple[Word, ...], tuple[Rendering, ...]]:
    """The auxiliary, the English words after it, and the Spanish words up to the main verb."""
    person = subject.person
    own = () if subject.said else subject.phrase.english
    if modal in _MODALS:
        infinitive, spanish_tense = _MODALS[modal]
        word = Word(modal)
        return (
            (word,),
            (),
            (Rendering(conjugate(infinitive, spanish_tense, person), own + (word,)),),
        )
    if tense in ("present", "past"):
        spanish_tense = "imperfect" if verb.stative else "preterite"
        form = conjugate(verb.spanish, "present" if tense == "present" else spanish_tense, person)
        if needs_auxiliary:
            third = "does" if person == "3s" else "do"
            auxiliary = (Word(third if tense == "present" else "did"),)
            rest = verb.english("base")
        else:
            auxiliary = ()
            inflected = "third" if person == "3s" else "base"
            rest = verb.english(inflected if tense == "present" else "past")
        return auxiliary, rest, (Rendering(form, own + auxiliary + rest),)
    if tense == "future":
        auxiliary, rest = (Word("will"),), verb.english("base")
        form = conjugate(verb.spanish, "future", person)
        return auxiliary, rest, (Rendering(form, own + auxiliary + rest),)
    if tense in ("perfect", "just"):
        auxiliary, rest = (Word("has" if person == "3s" else "have"),), verb.english("participle")
        if tense == "perfect":
            finite = Rendering(conjugate("haber", "present", person), own + auxiliary)
            return auxiliary, rest, (finite, Rendering(participle(verb.spanish), rest))
        just = (Word("just"),)
        finite = Rendering(conjugate("acabar", "present", person), own + auxiliary + just)
        infinitive = Rendering(verb.spanish, rest)
        return auxiliary, just + rest, (finite, Rendering("de", just), infinitive)
    past = tense == "past_progressive"
    auxiliary = (Word(be("past" if past else "present", person)),)
    if tense == "going_to":
        going, to, rest = Word("going"), Word("to"), verb.english("base")
        finite = Rendering(conjugate("ir", "present", person), own + auxiliary + (going,))
        spanish = (finite, Rendering("a", (to,)), Rendering(verb.spanish, rest))
        return auxiliary, (going, to, *rest), spanish
    rest = verb.english("gerund")
    spanish_tense = "imperfect" if past else "present"
    if verb.simple:
        form = conjugate(verb.spanish, spanish_tense, person)
        return auxiliary, rest, (Rendering(form, own + auxiliary + rest),)
    finite = Rendering(conjugate("estar", spanish_tense, person), own + auxiliary)
    return auxiliary, rest, (finite, Rendering(gerund(verb.spanish), rest))


def _with_clitic(
    spanish: tuple[Rendering, ...], clitic: Rendering | None, infinitive: str
) -> tuple[Rendering, ...]:
    if clitic is None:
        return spanish
    last = spanish[-1]
    origins = clitic.origins or last.origins
    if last.text == infinitive:
        joined = Rendering(infinitive + clitic.text, last.origins + clitic.origins)
        return (*spanish[:-1], joined)
    return (Rendering(clitic.text, origins), *spanish)


def _negated(group: VerbGroup, subject: NounPhrase) -> VerbGroup:
    (auxiliary,) = group.auxiliary.english
    joined = auxiliary.text == "can" and not subject.pronoun
    if not joined and (not subject.pronoun or auxiliary.text == "am"):
        word = Word("not")
        no = Phrase((), (Rendering("no", (word,)),))
        return replace(group, middle=Phrase((word,)), spanish=no + group.spanish)
    text = _CONTRACTIONS.get(auxiliary.text, auxiliary.text + "n't")
    text = "cannot" if joined else text
    word = Word(text)
    spanish = tuple(
        Rendering(r.text, tuple(word if origin is auxiliary else origin for origin in r.origins))
        for r in group.spanish.spanish
    )
    spanish = (Rendering("no", (word,)), *spanish)
    return replace(group, auxiliary=Phrase((word,)), spanish=Phrase((), spanish))


def _with_adverb(group: VerbGroup, adverb: Phrase, last: bool) -> VerbGroup:
    spanish = Phrase((), adverb.spanish) + group.spanish
    words = Phrase(adverb.english)
    if last:
        return replace(group, spanish=spanish, last=words)
    return replace(group, spanish=spanish, middle=group.middle + words)
