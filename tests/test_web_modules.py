"""The JavaScript of examples/web/ against SentencePiece and against this package's Python."""

import io
import random

import numpy as np
import pytest
import sentencepiece
from small_translator import ENGLISH, SPANISH, small_tokenizer
from web_example import answer_of, web_example

from keras_bahdanau.alignments.words import word_attention
from keras_bahdanau.export.litert.tokenizer_file import tokenizer_description
from keras_bahdanau.export.runtime import split_at_sentences

STRINGS = 10_000
SPACES = " \t\n\r\x00\x1c\x85\xa0\u1680\u2028\u200b\u3000\ufeff"
MARKS = "▁⁇.!?…。！？«¿ﬁ½Ⅷ㍿Å\u00ad\u0301\u0308\u200d"
# Normalisation, spaces and symbols of the user, other than in this package's own tokenizers.
OTHER_RULES = {
    "identity": {"normalization_rule_name": "identity", "add_dummy_prefix": False},
    "spaces stay": {"normalization_rule_name": "nmt_nfkc_cf", "remove_extra_whitespaces": False},
    "user's symbols": {"user_defined_symbols": ["<br>", "dog", "do", "¿q", "ﬁ"]},
}


@pytest.fixture(scope="module")
def example(tmp_path_factory):
    return web_example(tmp_path_factory.mktemp("web"))


def random_strings(number):
    """Words, spaces and characters of all of Unicode."""
    draw = random.Random(0)
    words = [*ENGLISH.split(), *SPANISH.split(), "<br>", "<s>", "</s>", "<unk>"]

    def bit():
        kind = draw.random()
        if kind < 0.3:
            return draw.choice(words) + draw.choice(["", " "])
        if kind < 0.5:
            return draw.choice(SPACES + MARKS)
        if kind < 0.7:
            return chr(draw.randrange(0x250))
        code = draw.choice([draw.randrange(0x3000), draw.randrange(0x110000)])
        return chr(code) if not 0xD800 <= code < 0xE000 else " "

    return ["".join(bit() for _ in range(draw.randrange(24))) for _ in range(number)]


def trained_with(**rules):
    """The bytes of a SentencePiece model with other rules."""
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


@pytest.mark.parametrize("rules", [None, *OTHER_RULES])
def test_the_tokenizer_is_sentencepiece(example, rules):
    content = trained_with(**OTHER_RULES[rules]) if rules else small_tokenizer().model_bytes
    processor = sentencepiece.SentencePieceProcessor(model_proto=content)
    texts = random_strings(STRINGS)
    found = answer_of(
        example,
        "web_modules.mjs",
        {"name": "tokenize", "tokenizer": tokenizer_description(content), "texts": texts},
    )
    expected = [processor.EncodeAsIds(text) for text in texts]
    assert [each["ids"] for each in found] == expected
    assert [each["decoded"] for each in found] == processor.DecodeIds(expected)
    assert len({len(ids) for ids in expected}) > 20


def test_texts_are_split_as_in_python(example):
    texts = random_strings(1000) + ["One two. Three!  Four。five…\x1csix\ufeff seven " * 3]
    for limit in (3, 9, 40):
        found = answer_of(
            example, "web_modules.mjs", {"name": "split", "texts": texts, "limit": limit}
        )
        expected = [split_at_sentences(text, len, limit) for text in texts]
        # Python leaves a space behind a sentence of a script without spaces at the end of a text.
        assert [[part.rstrip(" ") for part in each] for each in expected] == found


def test_pieces_become_words_as_in_python(example):
    draw = random.Random(2)
    alphabet = "▁ ▁the s ▁un happy ¿ ▁¿ 我 们 ▁我 ひ カ ไ .".split()
    sentences, expected = [], []
    for _ in range(200):
        source, target = (draw.choices(alphabet, k=draw.randrange(1, 12)) for _ in range(2))
        rows = np.random.default_rng(len(sentences)).dirichlet([0.3] * len(source), len(target))
        sentences.append({"source": source, "target": target, "rows": rows.tolist()})
        expected.append(word_attention(rows, source, target))
    found = answer_of(example, "web_modules.mjs", {"name": "merge", "sentences": sentences})
    for answer, (source, target, weights) in zip(found, expected, strict=True):
        assert [answer["source"], answer["target"]] == [source, target]
        np.testing.assert_allclose(answer["weights"], weights, atol=1e-6)
