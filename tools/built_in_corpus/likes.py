"""Verbs of liking, loving and hurting: what is liked is the subject in Spanish."""

from keras_bahdanau.training.corpora.built_in import AlignedPair

from .adjectives import adjectives_for
from .draw import Draw
from .noun_phrases import NounPhrase, noun_phrase, spanish_determiner
from .nouns import nouns_of
from .phrase import EMPTY, Phrase, Rendering, Word, arrange, pair, sentence, spanish_only
from .subjects import person, relative, thing
from .verbs import VERBS

_VERBS = {"like": ("gusta", "gustan"), "love": ("encanta", "encantan")}
_DATIVES = {"1s": "me", "2s": "te", "3s": "le", "1p": "nos", "3p": "les"}
_THIRD_PERSONS = {"he": "él", "she": "ella", "they": "ellos"}
_GENERAL = (
    "fruit food drink instrument clothes pet dog cat horse flower novel poem concert party park "
    "museum beach"
)
_CONCRETE = "song movie house car city garden picture dress coat novel poem apartment lamp shoe"
_ACTIVITIES = (
    ("swim", "", ""), ("dance", "", ""), ("travel", "", ""), ("sing", "", ""), ("run", "", ""),
    ("read", "books", "libros"), ("read", "novels", "novelas"), ("watch", "movies", "películas"),
    ("cook", "", ""), ("listen to", "music", "música"), ("play~game", "tennis", "al tenis"),
    ("play~game", "chess", "al ajedrez"), ("play~game", "soccer", "al fútbol"),
    ("write", "letters", "cartas"), ("sleep", "", ""), ("drive", "", ""), ("study", "", ""),
    ("walk", "", ""), ("eat", "chocolate", "chocolate"), ("drink", "tea", "té"),
    ("work", "", ""), ("paint", "", ""), ("buy", "clothes", "ropa"),
    ("visit", "museums", "museos"), ("sing", "songs", "canciones"),
)  # fmt: skip
_DOMESTIC = ("read", "watch", "cook", "listen to", "study", "work", "eat", "drink", "write")
_HURTING = nouns_of("body")
_WHERE = (
    ("at home", "en casa"),
    ("in the morning", "por la mañana"),
    ("at night", "por la noche", "0-0 1-1 1-2"),
)


def liked(draw: Draw) -> AlignedPair:
    """What somebody likes or loves: "My sister likes cats", "A mi hermana le gustan los gatos"."""
    who = person(draw)
    what = _what(draw, who)
    verb = "love" if draw.chance(0.2) else "like"
    negative = verb == "like" and draw.chance(0.3)
    if draw.chance(0.25) and who.pronoun not in ("I", "we"):
        verb = "like"
        auxiliary = Word("does" if who.person == "3s" else "do")
        liking = _liking(who, verb, what, (auxiliary, Word(verb)))
        english = (Phrase((auxiliary,)), who.phrase, Phrase(liking[1]), what.phrase)
        return sentence(arrange(english, (*liking[0], what.phrase)), "?")
    return sentence(_stated(who, verb, what, negative))


def liked_to_do(draw: Draw) -> AlignedPair:
    """What somebody likes or would like to do: "Me gusta nadar", "Me gustaría nadar"."""
    who = person(draw)
    what = _activity(draw)
    if draw.chance(0.4):
        would, verb = Word("would"), Word("like")
        dative = _dative(who, (would,))
        would_like = Phrase((), (Rendering("gustaría", (would, verb)),))
        english = (who.phrase, Phrase((would, verb)), what.phrase)
        return sentence(arrange(english, (*dative, would_like, what.phrase)))
    return sentence(_stated(who, "like", what, draw.chance(0.25)))


def hurting(draw: Draw) -> AlignedPair:
    """What hurts: "My head hurts", "Me duele la cabeza"."""
    part = draw.one(_HURTING)
    plural = part.is_any("many") and draw.chance(0.7)
    who = person(draw, pronouns="all") if draw.chance(0.6) else relative(draw, plural_chance=0.0)
    if who.plural and not who.pronoun:
        who = relative(draw, plural_chance=0.0)
    body = noun_phrase(part, "", plural=plural)
    (head,) = body.phrase.english
    article = spanish_only(spanish_determiner("the", part, plural), head)
    hurts = Word("hurt" if plural else "hurts")
    very = pair("a lot", "mucho") if draw.chance(0.3) else EMPTY
    if who.pronoun:
        plural_owner = who.plural
        if plural_owner:
            return hurting(draw)
        owner = Word(who.possessive)
        english = Phrase((owner,))
        said = _THIRD_PERSONS.get(who.pronoun)
        to = spanish_only(f"a {said}", owner) if said else EMPTY
    else:
        last = who.phrase.english[-1]
        owner = Word(last.text + "'s")
        english = Phrase((*who.phrase.english[:-1], owner))
        renamed = tuple(
            Rendering(r.text, tuple(owner if word is last else word for word in r.origins))
            for r in who.phrase.spanish
        )
        to = spanish_only("a", owner) + Phrase((), renamed)
    dative = spanish_only(_DATIVES[who.person], owner)
    verb = spanish_only("duelen" if plural else "duele", hurts)
    return sentence(
        arrange(
            (english, body.phrase, Phrase((hurts,)), very),
            (to, dative, verb, very, article, body.phrase),
        )
    )


def _what(draw: Draw, who: NounPhrase) -> NounPhrase:
    if draw.chance(0.5):
        return thing(draw, _CONCRETE, who, definite=True)
    kind = draw.one(nouns_of(_GENERAL, without="plural meal"))
    plural = not kind.is_any("mass")
    fitting = [a for a in adjectives_for(kind, "ser") if a.english not in ("good", "kind")]
    quality = draw.one(fitting) if fitting and draw.chance(0.3) else None
    general = noun_phrase(kind, "", plural=plural, adjective=quality)
    (head,) = general.phrase.english[-1:]
    adjacent = quality is None or not quality.before
    article = spanish_determiner("the", kind, plural, adjacent)
    phrase = arrange((general.phrase,), (spanish_only(article, head), general.phrase))
    return NounPhrase(phrase, kind.gender, general.person, kind)


def _activity(draw: Draw) -> NounPhrase:
    key, english, spanish = draw.one(_ACTIVITIES)
    verb = VERBS[key]
    spoken = (Word("to"), *verb.english("base"))
    doing = Phrase(spoken, (Rendering(verb.spanish, spoken),))
    extra = pair(english, spanish) if english else EMPTY
    where = pair(*draw.one(_WHERE[0 if key in _DOMESTIC else 1 :])) if draw.chance(0.3) else EMPTY
    return NounPhrase(doing + extra + where, "m", "3s")


def _dative(who: NounPhrase, origins: tuple[Word, ...]) -> tuple[Phrase, ...]:
    """The experiencer: "a mi hermana le", "me"."""
    own = who.phrase.english if who.pronoun else ()
    clitic = Phrase((), (Rendering(_DATIVES[who.person], own or origins),))
    if who.pronoun in _THIRD_PERSONS:
        return spanish_only(f"a {_THIRD_PERSONS[who.pronoun]}", *own), clitic
    if who.pronoun:
        return (clitic,)
    return spanish_only("a"), Phrase((), who.phrase.spanish), clitic


def _liking(
    who: NounPhrase, verb: str, what: NounPhrase, words: tuple[Word, ...]
) -> tuple[tuple[Phrase, ...], tuple[Word, ...]]:
    form = _VERBS[verb][what.plural]
    pleasing = Phrase((), (Rendering(form, words),))
    return (*_dative(who, words[-1:]), pleasing), words[-1:]


def _stated(who: NounPhrase, verb: str, what: NounPhrase, negative: bool) -> Phrase:
    third = who.person == "3s"
    if not negative:
        said = Word(verb + "s" if third else verb)
        liking, _ = _liking(who, verb, what, (said,))
        return arrange((who.phrase, Phrase((said,)), what.phrase), (*liking, what.phrase))
    do, said = "does" if third else "do", Word(verb)
    if who.pronoun:
        auxiliary = Word(do + "n't")
        refused: tuple[Word, ...] = (auxiliary,)
        no = Rendering("no", (auxiliary,))
    else:
        auxiliary, denial = Word(do), Word("not")
        refused = (auxiliary, denial)
        no = Rendering("no", (denial,))
    liking, _ = _liking(who, verb, what, (auxiliary, said))
    refusal = Phrase((), (no,))
    before = len(liking) - 2
    spanish = (*liking[:before], refusal, *liking[before:], what.phrase)
    return arrange((who.phrase, Phrase((*refused, said)), what.phrase), spanish)
