"""Subordinate and coordinate clauses: but, when, if, reported thoughts and speech."""

from keras_bahdanau.training.corpora.built_in import AlignedPair

from .actions import action
from .adjectives import adjective, adjectives_for, clash
from .clauses import comma, statement
from .descriptions import is_, predicate
from .draw import Draw
from .frames import Action
from .noun_phrases import NounPhrase, noun_phrase
from .nouns import noun, nouns_of
from .phrase import EMPTY, Phrase, Rendering, Word, arrange, pair, sentence
from .places import place
from .plans import plan
from .subjects import person, same_words, thing, unsaid
from .verb_groups import copula, verb_group
from .verbs import VERBS

_CONTRASTS = tuple(
    line.split()
    for line in (
        "expensive comfortable", "old comfortable", "small comfortable", "old fast", "big cheap",
        "small expensive", "pretty expensive", "old pretty", "small pretty", "expensive pretty",
        "difficult interesting", "interesting long", "interesting difficult", "boring important",
        "important boring", "long easy", "long interesting", "new dirty", "old clean",
        "small heavy", "modern cheap", "modern small", "old expensive", "new cheap", "cheap new",
        "pretty small", "big empty", "pretty dirty", "cheap comfortable", "small modern",
    )
)  # fmt: skip
_OUTDOORS = (("play~game", "soccer", "al fútbol"), ("play~game", "tennis", "al tenis"))
_INDOORS = (
    ("stay", "at home", "en casa"), ("watch", "television", "la televisión"),
    ("play~game", "chess", "al ajedrez"), ("play~game", "cards", "a las cartas"),
    ("listen to", "music", "música"), ("rest", "at home", "en casa"),
    ("work", "at home", "en casa"), ("study", "at home", "en casa"),
)  # fmt: skip
_BRIEF = ("arrive", "leave", "close", "open", "turn", "call", "invite", "finish")
_SAYS = {
    "creer": "creo crees cree creemos creen",
    "decir": "digo dices dice decimos dicen",
    "saber": "sé sabes sabe sabemos saben",
}


def but(draw: Draw) -> AlignedPair:
    """Two qualities of one thing set against each other: agreement across clauses."""
    first, second = (adjective(text) for text in draw.one(_CONTRASTS))
    fitting = [
        n
        for n in nouns_of("made building room content task outdoors", without="event mass")
        if first.fits(n) and second.fits(n)
    ]
    found = draw.one(fitting)
    plural = draw.chance(0.35) or found.is_any("pairs")
    subject = noun_phrase(found, draw.one(("the", "the", "this", "that")), plural=plural)
    tense = draw.weighted((("present", 4), ("past", 1)))
    main = statement(subject, is_(first, tense, subject), predicate(draw, first, subject, 0.3))
    it = unsaid("they" if subject.plural else "it", subject)
    contrast = statement(it, is_(second, tense, it), predicate(draw, second, it, 0.3))
    return sentence(main + comma() + pair("but", "pero") + contrast)


def wanted_but(draw: Draw) -> AlignedPair:
    """What somebody wants and why not: "but it is too expensive"."""
    subject = person(draw)
    kind = draw.one(nouns_of("clothes ride furniture device home instrument", without="plural"))
    wanted = noun_phrase(kind, draw.one(("the", "this", "that")), plural=kind.is_any("pairs"))
    past = draw.chance(0.4)
    tense = "past" if past else "present"
    verb = VERBS["buy"]
    main = statement(subject, verb_group(verb, tense, subject, modal="want to"), wanted.phrase)
    it = unsaid("they" if wanted.plural else "it", wanted)
    candidates = [adjective(a) for a in ("expensive", "big", "small", "heavy", "old")]
    quality = draw.one([a for a in candidates if a.fits(kind)])
    degree = pair(*draw.one((("very", "muy"), ("too", "demasiado"))))
    stated = degree + predicate(draw, quality, it, 0.0)
    return sentence(
        main + comma() + pair("but", "pero") + statement(it, is_(quality, tense, it), stated)
    )


def when(draw: Draw) -> AlignedPair:
    """One thing happened while another was going on."""
    first, second = person(draw), person(draw)
    # "When she called, Ana was cooking" would leave open who called.
    while same_words(first, second) or (second.person[0] == "3" and second.pronoun):
        second = person(draw)
    came = verb_group(VERBS[draw.one(("arrive", "call"))], "past", second)
    arrived = statement(second, came)
    done = ongoing(draw, first)
    main = statement(first, verb_group(done.verb, "past_progressive", first), *done.complements)
    if draw.chance(0.5):
        return sentence(main + pair("when", "cuando") + arrived)
    return sentence(pair("when", "cuando") + arrived + comma() + main)


def if_(draw: Draw) -> AlignedPair:
    """A condition: the Spanish present and future."""
    it = NounPhrase(Phrase((Word("it"),)), "m", "3s")
    bad = draw.chance(0.65)
    weather = draw.one(("rain", "snow", "cold", "windy") if bad else ("hot", "sunny"))
    if weather in VERBS:
        condition = statement(it, verb_group(VERBS[weather], "present", it))
    else:
        spanish = {"cold": "frío", "windy": "viento", "hot": "calor", "sunny": "sol"}[weather]
        condition = statement(it, copula("hacer", "present", it), pair(weather, spanish))
    then = pair(*draw.one((("tomorrow", "mañana"), ("this afternoon", "esta tarde"))))
    then = then if draw.chance(0.5) else EMPTY
    subject = person(draw)
    outdoors = not bad or draw.chance(0.5)
    done = _outdoors(draw) if outdoors else _indoors(draw)
    group = verb_group(done.verb, "future", subject, negative=bad and outdoors)
    main = statement(subject, group, *done.complements)
    return sentence(pair("if", "si") + condition + then + comma() + main)


def reported(draw: Draw) -> AlignedPair:
    """What somebody thinks, says or knows."""
    subject = person(draw)
    verb, spanish = draw.one((("think", "creer"), ("say", "decir"), ("know", "saber")))
    third = subject.person == "3s"
    said = Word(verb + "s" if third else verb)
    form = _SAYS[spanish].split()[("1s", "2s", "3s", "1p", "3p").index(subject.person)]
    own = () if subject.said else subject.phrase.english
    main = arrange(
        (subject.phrase, Phrase((said,))),
        (subject.phrase, Phrase((), (Rendering(form, (*own, said)),))),
    )
    that = pair("that", "que")
    if draw.chance(0.45):
        other = thing(draw, "clothes vehicle food drink building task show event room",
                      definite=True)  # fmt: skip
        fitting = [a for a in adjectives_for(other.noun) if not clash(other.quality, a)]
        if not fitting or other.phrase.english[0].text in ("that", "those"):
            return reported(draw)
        quality = draw.one(fitting)
        inner = statement(other, is_(quality, "present", other), predicate(draw, quality, other))
    else:
        other = person(draw)
        while same_words(other, subject) or other.phrase.english[0].text in ("that", "those"):
            other = person(draw)
        done = action(draw, other)
        how = plan(draw, done, tenses="past future going_to progressive present", timed=0.3)
        day_and_hour = arrange((done.hour, how.time), (how.time, done.hour))
        end = (done.manner, *done.complements, day_and_hour)
        inner = statement(other, how.group(done, other), *end)
    return sentence(main + that + inner)


def ongoing(draw: Draw, subject: NounPhrase) -> Action:
    """Something that one can be in the middle of."""
    while True:
        done = action(draw, subject)
        plain = done.clitic is None and done.hour is EMPTY and done.manner is EMPTY
        if plain and done.verb.base not in _BRIEF and done.use in ("daily", "event", "ongoing"):
            return done


def _outdoors(draw: Draw) -> Action:
    kind = draw.weighted((("go", 4), ("walk", 2), ("run", 1), ("swim", 2), ("game", 2)))
    if kind == "go":
        where = draw.one(("park", "beach", "river", "lake", "market", "pool", "village"))
        return Action(VERBS["go"], (pair("to", "a") + noun_phrase(noun(where)).phrase,), "daily")
    if kind == "game":
        key, english, spanish = draw.one(_OUTDOORS)
        return Action(VERBS[key], (pair(english, spanish),), "daily")
    if kind == "swim":
        return Action(VERBS["swim"], (place(draw, ("pool", "lake", "river")),), "daily")
    return Action(VERBS[kind], (place(draw, ("park", "beach"), spanish="por"),), "daily")


def _indoors(draw: Draw) -> Action:
    if draw.chance(0.3):
        book = thing(draw, "book novel magazine newspaper story", definite=True, several=False)
        return Action(VERBS["read"], (book.phrase,), "daily")
    key, english, spanish = draw.one(_INDOORS)
    return Action(VERBS[key], (pair(english, spanish),), "daily")
