"""Location, existence, possession, need and knowledge."""

from keras_bahdanau.training.corpora.built_in import AlignedPair

from .adjectives import adjective
from .clauses import question, statement
from .draw import Draw
from .frames import Action
from .noun_phrases import NounPhrase, noun_phrase
from .nouns import Noun, noun, nouns_of
from .phrase import EMPTY, Phrase, Rendering, Word, arrange, pair, sentence
from .places import CITIES, place
from .subjects import person, pet, somebody_else, thing
from .verb_groups import VerbGroup, copula, verb_group
from .verbs import VERBS

_SPOTS = (
    ("under", "debajo de", "table bed chair desk sofa"),
    ("behind", "detrás de", "door sofa lamp"),
    ("next to", "al lado de", "lamp computer radio bed window mirror clock"),
    ("in front of", "delante de", "door house mirror television window"),
    ("near", "cerca de", "door window bed sofa table"),
)
_NEIGHBORS = (
    ("next to", "al lado de"),
    ("in front of", "delante de"),
    ("near", "cerca de"),
    ("far from", "lejos de"),
    ("behind", "detrás de"),
)
_CONTAINED = (
    ("milk cheese egg tomato drink grocery", ("kitchen", "bag")),
    ("book magazine", ("table", "desk", "library", "box", "bedroom")),
    ("dishes", ("kitchen", "table")),
    ("chair", ("kitchen", "classroom", "garden", "living room")),
    ("student girl boy", ("classroom", "library", "school", "park")),
    ("man woman", ("restaurant", "office", "station", "church", "store")),
    ("dog cat bird", ("garden", "park", "street")),
    ("tree flower", ("garden", "park")),
    ("restaurant store museum bank hotel", ("city", "village", "street")),
    ("computer desk", ("office", "classroom", "library")),
    ("car bus truck bicycle", ("street",)),
    ("thing", ("box", "bag", "suitcase", "table")),
)
_COUNTED = "book ticket notebook pencil toy photo magazine"
_LANDMARKS = "bank school hotel church station museum market park hospital library"
_OWNED = "ride device book home pet instrument umbrella camera ticket notebook suitcase coat"


def located(draw: Draw) -> AlignedPair:
    """Where something is: Spanish says "estar"."""
    kind = draw.weighted((("thing", 5), ("pet", 2), ("person", 4), ("building", 3)))
    if kind == "building":
        subject, where = _building(draw)
    elif kind == "person":
        subject = person(draw)
        where = place(
            draw,
            ("kitchen", "garden", "office", "library", "school", "park", "market", "hospital",
             "airport", "station", "beach", "theater", "church", "classroom", "home"),
        )  # fmt: skip
    elif kind == "pet":
        subject = pet(draw)
        where = _spot(draw) if draw.chance(0.6) else place(draw, ("garden", "kitchen", "sofa"))
    else:
        found = draw.one(nouns_of("thing dishes losable"))
        owned = found.is_any("losable owned")
        subject = thing(draw, "", choices=(found,), own=owned, definite=True)
        inside = ("kitchen", "table")
        if not found.is_any("dishes"):
            inside = ("table", "desk", "kitchen", "bedroom", "box", "bag", "suitcase")
            inside = tuple(name for name in inside if name != found.english)
        near = draw.chance(0.4) and not found.is_any("dishes")
        where = _spot(draw) if near else place(draw, inside)
    tense = "past" if kind != "building" and draw.chance(0.2) else "present"
    asking = draw.chance(0.25) and subject.pronoun in ("", "you", "they")
    group = copula("estar", tense, subject, negative=not asking and draw.chance(0.2))
    if not asking:
        return sentence(statement(subject, group, where))
    if draw.chance(0.5):
        return sentence(question(subject, group, asked=pair("where", "dónde")), "?")
    return sentence(question(subject, group, where), "?")


def existing(draw: Draw) -> AlignedPair:
    """What there is somewhere: "there is", "hay"."""
    kinds, places = draw.one(_CONTAINED)
    found = draw.one(nouns_of(kinds, without="plural pairs"))
    mass = found.is_any("mass")
    plural = not mass and draw.chance(0.65)
    tense = draw.weighted((("present", 3), ("past", 1)))
    where = place(draw, tuple(p for p in places if p != found.english))
    there = NounPhrase(Phrase((Word("there"),)), "m", "3p" if plural else "3s")
    weights = (("said", 6), ("none", 1.5 * (mass or plural)), ("whether", 1.5), ("how many", 2))
    form = draw.weighted(weights)
    if form == "how many":
        if mass:
            asked = pair("how much", "cuánta" if found.gender == "f" else "cuánto")
        else:
            there = NounPhrase(there.phrase, "m", "3p")
            asked = pair("how many", "cuántas" if found.gender == "f" else "cuántos")
        asked += noun_phrase(found, "", plural=not mass).phrase
        group = _there(there, tense)
        return sentence(question(there, group, where, asked=asked), "?")
    group = _there(there, tense)
    if form == "none":
        none = pair("no", "no")
        what = noun_phrase(found, "", plural=plural).phrase
        whole = arrange(
            (there.phrase, group.auxiliary, none, what, where), (none, group.spanish, what, where)
        )
        return sentence(whole)
    what = _some(draw, found, mass, plural, asking=form == "whether")
    if form == "whether":
        return sentence(question(there, group, what, where), "?")
    return sentence(statement(there, group, what, where))


def owned(draw: Draw) -> AlignedPair:
    """What somebody has, needs or wants."""
    verb = draw.weighted((("have", 5), ("need", 2), ("want", 3)))
    kinds = _OWNED if verb == "have" else _OWNED + " clothes furniture dish drink"
    subject = person(draw, pronouns=draw.one(("all", "dropped")))
    many = draw.chance(0.45)
    if many:
        kinds = _COUNTED + " pet" if verb == "have" else _COUNTED
    found = draw.one(nouns_of(kinds))
    if found.is_any("mass drink"):
        what = noun_phrase(found, "").phrase
    elif many:
        most = 4 if found.is_any("pet") else 39 if verb == "have" else 12
        what = noun_phrase(found, "", count=draw.number(2, most)).phrase
    else:
        fitting = [a for a in ("new", "red", "blue", "white", "green", "small", "big", "pretty")
                   if adjective(a).fits(found)]  # fmt: skip
        quality = adjective(draw.one(fitting)) if fitting and draw.chance(0.5) else None
        pairs = found.is_any("pairs plural")
        article = "" if pairs else "a"
        what = noun_phrase(found, article, plural=pairs, adjective=quality).phrase
        if verb == "have" and not pairs and quality is None and draw.chance(0.4):
            return _without(draw, subject, what)
    refusing = 0.0 if many or verb == "have" else 0.25
    return _stative(draw, subject, Action(VERBS[verb], (what,), "state"), refusing)


def known(draw: Draw) -> AlignedPair:
    """Whom or which city somebody knows, and what somebody understands."""
    subject = person(draw, pronouns="dropped" if draw.chance(0.3) else "all")
    kind = draw.weighted((("person", 4), ("city", 2), ("understand", 3)))
    if kind == "understand":
        what = thing(draw, "question answer exercise lesson problem", definite=True).phrase
        return _stative(draw, subject, Action(VERBS["understand"], (what,), "state"))
    if kind == "city":
        what = pair(*draw.one(CITIES))
    else:
        other = somebody_else(draw, subject)
        while other.noun is not None and other.phrase.english[0].text == subject.possessive:
            other = somebody_else(draw, subject)
        what = other.as_object()
    return _stative(draw, subject, Action(VERBS["know~person"], (what,), "state"))


def _without(draw: Draw, subject: NounPhrase, what: Phrase) -> AlignedPair:
    """ "Doesn't have a car": Spanish has no article there."""
    bare = Phrase(what.english, what.spanish[1:])
    tense = draw.weighted((("present", 3), ("past", 1)))
    group = verb_group(VERBS["have"], tense, subject, negative=True)
    return sentence(statement(subject, group, bare))


def _stative(draw: Draw, subject: NounPhrase, state: Action, refusing: float = 0.25) -> AlignedPair:
    asking = draw.chance(0.25) and subject.pronoun in ("", "you", "they")
    tense = draw.weighted((("present", 3), ("past", 1)))
    refused = not asking and draw.chance(refusing)
    group = verb_group(state.verb, tense, subject, negative=refused, question=asking)
    if asking:
        return sentence(question(subject, group, *state.complements), "?")
    return sentence(statement(subject, group, *state.complements))


def _there(there: NounPhrase, tense: str) -> VerbGroup:
    singular = NounPhrase(there.phrase, "m", "3s")
    group = copula("haber", tense, singular)
    if there.person == "3s":
        return group
    plural = Word("are" if tense == "present" else "were")
    (rendering,) = group.spanish.spanish
    origins = (*there.phrase.english, plural)
    return VerbGroup(
        Phrase((plural,)), EMPTY, EMPTY, Phrase((), (Rendering(rendering.text, origins),))
    )


def _some(draw: Draw, found: Noun, mass: bool, plural: bool, *, asking: bool) -> Phrase:
    if mass:
        return noun_phrase(found, "").phrase
    if not plural:
        return noun_phrase(found, "a").phrase
    if asking:
        return noun_phrase(found, "", plural=True).phrase
    if draw.chance(0.3):
        return noun_phrase(found, "many", plural=True).phrase
    most = 40 if found.is_any("book student chair tree flower") else 12
    return noun_phrase(found, "", count=draw.number(2, most)).phrase


def _spot(draw: Draw) -> Phrase:
    english, spanish, landmarks = draw.one(_SPOTS)
    landmark = noun_phrase(noun(draw.one(landmarks.split())))
    return _relation(english, spanish) + landmark.phrase


def _relation(english: str, spanish: str) -> Phrase:
    count, spoken = len(english.split()), len(spanish.split())
    if count == 1 or count == spoken:
        return pair(english, spanish)
    links = " ".join(f"{min(j, count - 1)}-{j}" for j in range(spoken))
    if count > spoken:
        links = " ".join(f"{i}-{min(i, spoken - 1)}" for i in range(count))
    return pair(english, spanish, links)


def _building(draw: Draw) -> tuple[NounPhrase, Phrase]:
    first, second = draw.shuffled(nouns_of(_LANDMARKS))[:2]
    english, spanish = draw.one(_NEIGHBORS)
    where = _relation(english, spanish) + noun_phrase(second).phrase
    return noun_phrase(first), where
