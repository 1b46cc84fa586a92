"""The built-in corpus: what it promises about its pairs, splits and alignments."""

import hashlib
import os
import subprocess
import sys

import pytest

from keras_bahdanau.training.corpora.built_in import AlignedPair, built_in_corpus, words
from keras_bahdanau.training.corpora.built_in.corpus import FAMILIES, generate
from keras_bahdanau.training.corpora.built_in.draw import Draw

PUNCTUATION = set("¿?¡!.,")
# What only Spanish grammar wants, and the article of "does not have a car".
UNALIGNED_SPANISH = {"a", "A", "de"}
UNALIGNED_ENGLISH = {"a", "an"}
DIGEST = (
    "import hashlib\n"
    "from keras_bahdanau.training.corpora.built_in import built_in_corpus\n"
    "print(hashlib.sha256(repr(built_in_corpus()).encode()).hexdigest())\n"
)


@pytest.fixture(scope="module")
def corpus():
    return built_in_corpus()


@pytest.fixture(scope="module")
def pairs(corpus):
    return [pair for split in corpus.values() for pair in split]


def test_the_same_in_every_process(corpus):
    environment = {**os.environ, "PYTHONHASHSEED": "123"}
    run = subprocess.run(
        [sys.executable, "-c", DIGEST], env=environment, capture_output=True, text=True, check=True
    )
    assert run.stdout.strip() == hashlib.sha256(repr(corpus).encode()).hexdigest()


def test_sizes(corpus):
    assert list(corpus) == ["train", "validation", "test"]
    assert len(corpus["validation"]) == len(corpus["test"]) == 1_000
    assert len(corpus["train"]) >= 18_000
    assert all(isinstance(pair, AlignedPair) for pair in corpus["train"])


def test_an_english_sentence_occurs_once(pairs):
    assert len({pair.source for pair in pairs}) == len(pairs)


def test_splits_share_no_sentence(corpus):
    names = list(corpus)
    for first, second in zip(names, names[1:] + names[:1], strict=True):
        assert not {p.source for p in corpus[first]} & {p.source for p in corpus[second]}
        assert not {p.target for p in corpus[first]} & {p.target for p in corpus[second]}


def test_held_out_words_occur_in_training(corpus):
    sources = {word for pair in corpus["train"] for word in words(pair.source)}
    targets = {word for pair in corpus["train"] for word in words(pair.target)}
    for name in ("validation", "test"):
        for pair in corpus[name]:
            assert set(words(pair.source)) <= sources
            assert set(words(pair.target)) <= targets


def test_the_grammar_translates_a_sentence_in_one_way_only():
    known = {}
    for seed in range(2):
        draw = Draw(seed)
        for _ in range(2_500):
            pair = draw.weighted(FAMILIES)(draw)
            assert known.setdefault(pair.source, pair.target) == pair.target


def test_every_family_can_be_drawn_alone():
    for family, weight in FAMILIES:
        assert weight > 0
        assert words(family(Draw(7)).source)[-1] in ".?!"


def test_generate_gives_distinct_sources():
    drawn = generate(Draw(3), 200)
    assert len(drawn) == 200
    assert all(source == pair.source for source, pair in drawn.items())


def test_alignment_covers_all_but_grammatical_words(pairs):
    for pair in pairs:
        source, target = words(pair.source), words(pair.target)
        assert list(pair.alignment) == sorted(set(pair.alignment))
        assert all(0 <= i < len(source) and 0 <= j < len(target) for i, j in pair.alignment)
        rendered = {i for i, _ in pair.alignment}
        rendering = {j for _, j in pair.alignment}
        assert {w for i, w in enumerate(source) if i not in rendered} <= UNALIGNED_ENGLISH
        assert {w for j, w in enumerate(target) if j not in rendering} <= UNALIGNED_SPANISH


def test_punctuation_is_aligned_to_its_own(pairs):
    opening = {"¿": "?", "¡": "!"}
    for pair in pairs:
        source, target = words(pair.source), words(pair.target)
        for i, j in pair.alignment:
            if target[j] in PUNCTUATION or source[i] in PUNCTUATION:
                assert source[i] == opening.get(target[j], target[j])


def test_questions_and_exclamations_are_marked_on_both_sides(pairs):
    for pair in pairs:
        assert pair.source.endswith("?") == pair.target.endswith("?")
        assert pair.source.endswith("?") == pair.target.startswith("¿")
        assert pair.source.endswith("!") == pair.target.startswith("¡")


def test_spanish_sounds(pairs):
    """No "a el", "de el", "y i-", "o o-", or "la agua", and no "a" before a vowel in English."""
    for pair in pairs:
        target = words(pair.target.lower())
        for word, following in zip(target, target[1:], strict=False):
            assert not (word in ("a", "de") and following == "el"), pair
            assert not (word == "y" and following.startswith(("i", "hi"))), pair
            assert not (word in ("la", "una") and following in ("agua", "aula")), pair
        source = words(pair.source.lower())
        for word, following in zip(source, source[1:], strict=False):
            if word == "a":
                assert following[0] not in "aeiou" or following.startswith("uni"), pair
            if word == "an":
                assert following[0] in "aeiou", pair


def test_determiners_agree_with_the_noun_that_follows(pairs):
    """Checked on a list of nouns written down by hand, not on the grammar's table."""
    nouns = {"casa": "f", "mesa": "f", "camisa": "f", "foto": "f", "mano": "f", "flor": "f",
             "llave": "f", "calle": "f", "ciudad": "f", "moto": "f", "clase": "f", "radio": "f",
             "coche": "m", "libro": "m", "vestido": "m", "mapa": "m", "problema": "m",
             "programa": "m", "lápiz": "m", "sofá": "m", "reloj": "m", "tren": "m", "poema": "m",
             "dentista": "m", "paraguas": "m"}  # fmt: skip
    masculine = {"el", "un", "los", "unos", "este", "estos", "ese", "esos", "otro", "muchos",
                 "nuestro", "nuestros", "todos", "cuántos", "cuánto"}  # fmt: skip
    feminine = {"la", "una", "las", "unas", "esta", "estas", "esa", "esas", "otra", "muchas",
                "nuestra", "nuestras", "todas", "cuántas", "cuánta"}  # fmt: skip
    seen = set()
    for pair in pairs:
        target = words(pair.target.lower())
        for word, following in zip(target, target[1:], strict=False):
            if word in masculine | feminine and following in nouns:
                seen.add(following)
                assert word in (masculine if nouns[following] == "m" else feminine), pair
    assert seen == set(nouns)


def test_every_length_of_the_promised_range_occurs(pairs):
    lengths = {len(words(pair.source)) - 1 for pair in pairs}
    assert lengths >= set(range(3, 17))


def test_words_keeps_contractions_and_splits_marks():
    assert words("¿Don't we, at two o'clock?") == [
        "¿", "Don't", "we", ",", "at", "two", "o'clock", "?"
    ]  # fmt: skip
