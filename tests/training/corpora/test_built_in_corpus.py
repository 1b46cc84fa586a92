"""The built-in corpus: its pairs, splits and alignments."""

import bz2

import pytest

from keras_bahdanau.errors import InputError
from keras_bahdanau.training.corpora.built_in import AlignedPair, built_in_corpus, words

PUNCTUATION = set("¿?¡!.,")
# Words that only Spanish grammar demands, and the article of "does not have a car".
UNALIGNED_SPANISH = {"a", "A", "de"}
UNALIGNED_ENGLISH = {"a", "an"}


@pytest.fixture(scope="module")
def corpus():
    return built_in_corpus()


@pytest.fixture(scope="module")
def pairs(corpus):
    return [pair for split in corpus.values() for pair in split]


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


PAIRS = "".join(f"{split}\tGo.\tVe.\t0-0 1-1\n" for split in ("train", "validation", "test"))


def test_alignments_are_read_from_pharaoh_format(tmp_path):
    (tmp_path / "corpus").write_bytes(bz2.compress(PAIRS.encode()))
    pair = AlignedPair("Go.", "Ve.", ((0, 0), (1, 1)))
    corpus = built_in_corpus(tmp_path / "corpus")
    assert corpus == {"train": (pair,), "validation": (pair,), "test": (pair,)}


@pytest.mark.parametrize(
    "data",
    [
        None,
        b"",
        b"text",
        bz2.compress(PAIRS.encode())[:-4],
        bz2.compress(PAIRS.partition("\n")[0].encode()),
        bz2.compress(PAIRS.replace("\tVe.", "").encode()),
        bz2.compress(PAIRS.replace("test", "dev").encode()),
        bz2.compress(PAIRS.replace("1-1", "1-").encode()),
        bz2.compress(PAIRS.replace("1-1", "1").encode()),
        bz2.compress(PAIRS.replace("Ve", "Vé").encode("latin-1")),
    ],
    ids=["missing", "empty", "not-compressed", "truncated", "one-split", "three-columns",
         "unknown-split", "half-a-link", "one-index", "not-utf-8"],
)  # fmt: skip
def test_a_damaged_file_is_one_error(tmp_path, data):
    if data is not None:
        (tmp_path / "corpus").write_bytes(data)
    with pytest.raises(InputError, match="corpus cannot be read: .*Reinstall keras-bahdanau$"):
        built_in_corpus(tmp_path / "corpus")
