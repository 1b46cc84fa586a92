"""examples/tokenizer/tokenizer.py, the tokenizer without SentencePiece, against SentencePiece."""

import io
import json
import random
import runpy

import pytest
import sentencepiece
from checkout import EXAMPLES
from random_texts import built_in_tokenizer, random_texts
from small_translator import small_tokenizer

from keras_bahdanau.export.litert.tokenizer_file import (
    VECTOR_TEXTS,
    read_sentencepiece_model,
    tokenizer_description,
    write_vectors,
)

pytestmark = pytest.mark.ports

PORT = EXAMPLES / "tokenizer" / "tokenizer.py"
UNUSED = 5


@pytest.fixture(scope="module")
def port():
    return runpy.run_path(str(PORT))["Tokenizer"]


@pytest.fixture(scope="module")
def model_bytes():
    return built_in_tokenizer().model_bytes


def assert_same(port, model_bytes, texts):
    """The port and SentencePiece agree on texts, and on the text of random ids."""
    expected = sentencepiece.SentencePieceProcessor(model_proto=model_bytes)
    found = port(tokenizer_description(model_bytes))
    draw, size = random.Random(0), expected.GetPieceSize()
    for text in texts:
        ids = expected.EncodeAsIds(text)
        assert found.encode(text) == ids
        assert found.normalize(text) == expected.Normalize(text)
        assert [piece for piece, _ in found.segments(text)] == expected.EncodeAsPieces(text)
        for some_ids in (ids, draw.choices(range(size), k=4), draw.choices(range(4), k=3)):
            some_ids = [*some_ids, draw.randrange(size)]
            assert found.decode(some_ids) == expected.DecodeIds(some_ids)


def pieces_of(model_bytes):
    return [piece.piece for piece in read_sentencepiece_model(model_bytes).pieces][4:]


def test_ten_thousand_random_texts_are_cut_as_sentencepiece_does(port, model_bytes):
    texts = list(random_texts(10_000, pieces_of(model_bytes)))
    assert len(set(texts)) > 9_000
    assert_same(port, model_bytes, texts)


@pytest.mark.parametrize(
    "options",
    [
        {"normalization_rule_name": "identity"},
        {"normalization_rule_name": "nfkc_cf"},
        {"remove_extra_whitespaces": False},
        {"add_dummy_prefix": False},
        {"add_dummy_prefix": False, "remove_extra_whitespaces": False},
    ],
    ids=str,
)
def test_every_treatment_of_text_and_spaces_is_followed(port, options):
    model = io.BytesIO()
    draw = random.Random(1)
    words = ["the", "red", "houses", "perro", "\u00f1and\u00fa", "cafe\u0301", "\ufb01n", "ABC"]
    lines = ["  ".join(draw.choices(words, k=6)) for _ in range(200)]
    sentencepiece.SentencePieceTrainer.Train(
        sentence_iterator=iter(lines),
        model_writer=model,
        vocab_size=60,
        hard_vocab_limit=False,
        minloglevel=2,
        **{"pad_id": 0, "unk_id": 1, "bos_id": 2, "eos_id": 3, **options},
    )
    texts = random_texts(1_000, pieces_of(model.getvalue()), seed=2)
    assert_same(port, model.getvalue(), texts)


def test_unused_pieces_are_not_found(port):
    model = read_sentencepiece_model(small_tokenizer().model_bytes)
    for piece in model.pieces[6:40:3]:
        piece.type = UNUSED
    pieces = pieces_of(model.SerializeToString())
    assert_same(port, model.SerializeToString(), random_texts(1_000, pieces, seed=3))


def test_spaces_may_stay_spaces(port):
    # SentencePiece reads such a model but trains none.
    model = read_sentencepiece_model(small_tokenizer().model_bytes)
    model.normalizer_spec.escape_whitespaces = False
    pieces = pieces_of(model.SerializeToString())
    assert_same(port, model.SerializeToString(), random_texts(1_000, pieces, seed=4))


def test_the_vectors_come_out(port, tmp_path):
    tokenizer = small_tokenizer()
    write_vectors(tmp_path / "vectors.jsonl", tokenizer.model_bytes)
    found = port(tokenizer_description(tokenizer.model_bytes))
    lines = (tmp_path / "vectors.jsonl").read_text(encoding="ascii").splitlines()
    vectors = [json.loads(line) for line in lines]
    assert len(vectors) > 100
    for vector in vectors:
        assert found.normalize(vector["text"]) == vector["normalized"]
        pairs = [list(pair) for pair in found.segments(vector["text"])]
        assert pairs == [[*pair] for pair in zip(vector["pieces"], vector["ids"], strict=True)]
        assert found.decode(vector["ids"]) == vector["decoded"]


def test_the_vectors_have_no_text_twice():
    texts = [text for group in VECTOR_TEXTS.values() for text in group]
    assert len(texts) == len(set(texts))


def test_lone_surrogates_are_replacement_characters_and_pairs_are_one_character(port):
    found = port(tokenizer_description(small_tokenizer().model_bytes))
    assert found.normalize("a\ud800b\udfff") == found.normalize("a\ufffdb\ufffd")
    assert found.normalize("a\ud83d\ude00") == found.normalize("a\U0001f600")


@pytest.mark.parametrize(
    "change",
    [
        {"format": "other"},
        {"format_version": 2},
        {"model_type": "bpe"},
        {"model_type": "other"},
        {"byte_fallback": True},
        {"pieces": [["<unk>", 0.0, "unknown"], ["a", -1.0, "user_defined"]]},
    ],
    ids=str,
)
def test_what_it_cannot_follow_is_refused(port, change):
    description = tokenizer_description(small_tokenizer().model_bytes)
    with pytest.raises(ValueError, match="Expected .* Received: "):
        port({**description, **change})
