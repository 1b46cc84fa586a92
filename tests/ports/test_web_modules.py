"""The JavaScript of examples/web/ against SentencePiece and against this package's Python."""

import io
import random

import numpy as np
import pytest
import sentencepiece
from random_texts import built_in_tokenizer, random_texts
from small_translator import ENGLISH, SPANISH, small_tokenizer
from web_example import answer_of, run_node, web_example

from keras_bahdanau.alignments.words import word_attention
from keras_bahdanau.export.litert.tokenizer_file import tokenizer_description
from keras_bahdanau.export.runtime import split_at_sentences

pytestmark = pytest.mark.ports

MODULES = "web_modules.mjs"
RULES = {
    "identity": {"normalization_rule_name": "identity", "add_dummy_prefix": False},
    "all spaces": {"normalization_rule_name": "nmt_nfkc_cf", "remove_extra_whitespaces": False},
}


@pytest.fixture(scope="module")
def example(tmp_path_factory):
    return web_example(tmp_path_factory.mktemp("web"))


def trained_with(**rules):
    """The bytes of a SentencePiece model with other rules than this package's own."""
    model = io.BytesIO()
    draw = random.Random(1)
    words = [*ENGLISH.split(), *SPANISH.split()]
    sentencepiece.SentencePieceTrainer.Train(
        sentence_iterator=iter([" ".join(draw.choices(words, k=6)) for _ in range(300)]),
        model_writer=model,
        vocab_size=90,
        hard_vocab_limit=False,
        minloglevel=2,
        **rules,
    )
    return model.getvalue()


def assert_sentencepiece_agrees(example, model_bytes, number):
    processor = sentencepiece.SentencePieceProcessor(model_proto=model_bytes)
    pieces = [processor.IdToPiece(i) for i in range(processor.GetPieceSize())]
    texts = list(random_texts(number, pieces))
    tokenizer = tokenizer_description(model_bytes)
    question = {"name": "tokenize", "tokenizer": tokenizer, "texts": texts}
    found = answer_of(example, MODULES, question)
    for text, answer in zip(texts, found, strict=True):
        ids = processor.EncodeAsIds(text)
        pieces = processor.EncodeAsPieces(text)
        assert answer == [processor.Normalize(text), ids, pieces, processor.DecodeIds(ids)]


def test_ten_thousand_random_texts_are_cut_as_sentencepiece_does(example):
    assert_sentencepiece_agrees(example, built_in_tokenizer().model_bytes, 10_000)


@pytest.mark.parametrize("rules", RULES)
def test_other_rules_are_followed(example, rules):
    assert_sentencepiece_agrees(example, trained_with(**RULES[rules]), 2000)


def test_half_characters_become_replacement_characters(example):
    tokenizer = tokenizer_description(small_tokenizer().model_bytes)
    texts = ["a\ud800b\udfff", "a\ufffdb\ufffd", "a\ud83d\ude00", "a\U0001f600"]
    question = {"name": "tokenize", "tokenizer": tokenizer, "texts": texts}
    one, same, other, same_as_other = answer_of(example, MODULES, question)
    assert (one, other) == (same, same_as_other)


@pytest.mark.parametrize(
    "change",
    [
        {"format": "other"},
        {"format_version": 2},
        {"model_type": "other"},
        {"byte_fallback": True},
        {"pieces": [["<unk>", 0.0, "unknown"], ["a", -1.0, "user_defined"]]},
        {"pieces": [["<unk>", 0.0, "unknown"], ["<0x41>", 0.0, "byte"]]},
    ],
    ids=str,
)
def test_tokenizers_that_it_cannot_follow_are_refused(example, change):
    tokenizer = {**tokenizer_description(small_tokenizer().model_bytes), **change}
    question = {"name": "tokenize", "tokenizer": tokenizer, "texts": []}
    said = run_node(example, MODULES, question=question, code=1).stderr
    assert "ExportedFileError: Expected a tokenizer of" in said
    assert "Received: " in said


def test_texts_are_split_as_in_python(example):
    ends = [". ", "!  ", "?", "\u2026 ", "\u3002", "\uff01", "\x1c", "\ufeff", "\x85"]
    texts = list(random_texts(1000, [*ENGLISH.split(), *ends]))
    for limit in (3, 9, 40):
        question = {"name": "split", "texts": texts, "limit": limit}
        found = answer_of(example, MODULES, question)
        expected = [split_at_sentences(text, len, limit) for text in texts]
        # Python leaves a space behind a sentence of a script without spaces at the end of a text.
        assert [[part.rstrip(" ") for part in each] for each in expected] == found


def test_pieces_become_words_as_in_python(example):
    draw = random.Random(2)
    alphabet = "_ _the s _un happy ? _? \u6211 \u4eec _\u6211 \u3072 \u30ab \u0e44 .".replace(
        "_", "\u2581"
    )
    sentences, expected = [], []
    for _ in range(200):
        source, target = (draw.choices(alphabet.split(), k=draw.randrange(1, 12)) for _ in range(2))
        rows = np.random.default_rng(len(sentences)).dirichlet([0.3] * len(source), len(target))
        sentences.append({"source": source, "target": target, "rows": rows.tolist()})
        expected.append(word_attention(rows, source, target))
    found = answer_of(example, MODULES, {"name": "merge", "sentences": sentences})
    for answer, (source, target, weights) in zip(found, expected, strict=True):
        assert [answer["source"], answer["target"]] == [source, target]
        np.testing.assert_allclose(answer["weights"], weights, atol=1e-6)
