import io
import subprocess
import sys

import numpy as np
import pytest
import sentencepiece
from small_translator import small_tokenizer

from keras_bahdanau.errors import InputError
from keras_bahdanau.text import Tokenizer
from keras_bahdanau.text.tokenizer import (
    END_ID,
    SPECIAL_IDS,
    START_ID,
    UNKNOWN_ID,
    by_length,
    check_texts,
    pad_ids,
)


@pytest.fixture(scope="module")
def tokenizer():
    return small_tokenizer()


def test_special_ids(tokenizer):
    assert SPECIAL_IDS == {"pad_id": 0, "unknown_id": 1, "start_id": 2, "end_id": 3}
    assert tokenizer.pieces([0, 1, 2, 3]) == ["<pad>", "<unk>", "<s>", "</s>"]


@pytest.mark.parametrize("text", ["the red dog runs", "¿qué? ñandú 12", "a  dog", "el perro"])
def test_text_of_known_letters_comes_back(tokenizer, text):
    assert tokenizer.decode(tokenizer.encode(text)) == " ".join(text.split())


def test_composed_and_decomposed_letters_are_one(tokenizer):
    assert tokenizer.encode("n\u0303andu\u0301") == tokenizer.encode("ñandú")


@pytest.mark.parametrize("text", ["<s>", "</s>", "<pad>", "<unk> the </s> dog <s>", "[START]"])
def test_control_tokens_that_a_user_types_are_plain_text(tokenizer, text):
    ids = tokenizer.encode(text)
    assert ids
    assert not {0, START_ID, END_ID} & set(ids)


@pytest.mark.parametrize(
    "text",
    [
        "\0",
        "a\0b",
        "🙂",
        "👩\u200d👩\u200d👧",
        "שלום עולם",
        "漢字かな",
        "q\u0323\u0307",
        "\x85",
        "▅",
        "\ufffe",
    ],
)
def test_what_was_never_seen_is_unknown_and_nothing_else_is_lost(tokenizer, text):
    ids = tokenizer.encode(f"dog {text} cat")
    assert UNKNOWN_ID in ids
    decoded = tokenizer.decode(ids)
    assert decoded.startswith("dog ")
    assert decoded.endswith(" cat")


@pytest.mark.parametrize(
    "text", ["", " ", "  \t ", "\u3000", "\xa0", "\u2028", "\r", "\v\f", "\u200b", "\ufeff", "▁"]
)
def test_white_space_has_no_pieces(tokenizer, text):
    assert tokenizer.encode(text) == []


def test_pieces_mark_the_starts_of_words(tokenizer):
    pieces = tokenizer.pieces(tokenizer.encode("the dog"))
    assert "".join(pieces) == "▁the▁dog"


def test_special_ids_are_left_out_of_a_text(tokenizer):
    ids = tokenizer.encode("the dog")
    assert tokenizer.decode([START_ID, *ids, END_ID, 0, 0, UNKNOWN_ID]) == "the dog"


def test_training_is_deterministic(tokenizer):
    assert small_tokenizer().model_bytes == tokenizer.model_bytes


def test_training_text_with_control_tokens_gives_them_no_pieces():
    tokenizer = Tokenizer.train(["the <s> dog </s>", "a <pad> cat <unk>"] * 10, 50)
    ids = tokenizer.encode("the <s> dog </s> a <pad> cat <unk>")
    assert not {0, START_ID, END_ID} & set(ids)


def test_a_small_corpus_gives_a_smaller_vocabulary():
    assert Tokenizer.train(["a b", "c d"], 8000).vocabulary_size < 20


def test_save_and_load(tokenizer, tmp_path):
    tokenizer.save(tmp_path / "tokenizer.model")
    assert [path.name for path in tmp_path.iterdir()] == ["tokenizer.model"]
    loaded = Tokenizer.load(tmp_path / "tokenizer.model")
    assert loaded.vocabulary_size == tokenizer.vocabulary_size
    assert loaded.encode("the red dog") == tokenizer.encode("the red dog")


@pytest.mark.parametrize("sentences", [[], [""], ["   "]])
def test_no_text_to_learn_from_is_refused(sentences):
    with pytest.raises(InputError, match="Expected text from which 100 pieces can be learned"):
        Tokenizer.train(sentences, 100)


@pytest.mark.parametrize("size", [1, 3, 10])
def test_a_vocabulary_smaller_than_the_alphabet_is_refused(size):
    with pytest.raises(InputError, match=f"from which {size} pieces"):
        Tokenizer.train(["the quick brown fox jumps over the lazy dog"] * 5, size)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(InputError, match="nosuch.model, which does not exist"):
        Tokenizer.load(tmp_path / "nosuch.model")


@pytest.mark.parametrize(
    "damage", [lambda b: b"", lambda b: b"garbage", lambda b: b[: len(b) // 2]]
)
def test_a_damaged_file_is_named(tokenizer, tmp_path, damage):
    path = tmp_path / "tokenizer.model"
    path.write_bytes(damage(tokenizer.model_bytes))
    with pytest.raises(InputError, match="tokenizer.model: Expected a SentencePiece model"):
        Tokenizer.load(path)


def test_other_special_ids_are_refused(tmp_path):
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.Train(
        sentence_iterator=iter(["a b c d"] * 5),
        model_writer=model,
        vocab_size=20,
        hard_vocab_limit=False,
        minloglevel=2,
    )
    with pytest.raises(InputError, match="Expected a tokenizer with the ids .*'pad_id': -1"):
        Tokenizer(model.getvalue())


def test_the_package_loads_sentencepiece_at_first_use_of_the_tokenizer():
    code = (
        "import sys, keras_bahdanau.text as text;"
        "assert dir(text) == ['Tokenizer'] and 'sentencepiece' not in sys.modules;"
        "text.Tokenizer; assert 'sentencepiece' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize(
    "texts, error, message",
    [
        ("a text", TypeError, "Expected a list of texts. Received: one str"),
        (["a", 1], TypeError, "Received: int at index 1"),
        (["a", "\ud800"], InputError, "lone surrogate .* at index 1"),
    ],
)
def test_what_is_no_list_of_texts_is_refused(texts, error, message):
    with pytest.raises(error, match=message):
        check_texts(texts)


def test_padding_is_on_the_right():
    padded = pad_ids([[5, 6, 7], [8], []])
    np.testing.assert_array_equal(padded, [[5, 6, 7], [8, 0, 0], [0, 0, 0]])
    assert padded.dtype == np.int32


def test_a_given_length():
    np.testing.assert_array_equal(pad_ids([[5], [6, 7]], length=3), [[5, 0, 0], [6, 7, 0]])


@pytest.mark.parametrize("sequences", [[], [[]], [[], []]])
def test_a_batch_without_ids_has_one_column(sequences):
    assert pad_ids(sequences).shape == (len(sequences), 1)


@pytest.mark.parametrize("batch_size", [1, 2, 3, 10])
def test_batches_hold_every_index_once_longest_first(batch_size):
    lengths = [3, 9, 1, 9, 0, 4, 2]
    batches = by_length(lengths, batch_size)
    order = [index for batch in batches for index in batch]
    assert sorted(order) == list(range(len(lengths)))
    assert [lengths[index] for index in order] == sorted(lengths, reverse=True)
    assert all(len(batch) <= batch_size for batch in batches)


def test_the_tokens_of_a_batch_are_limited():
    lengths = [100, 1, 30, 10, 20, 0]
    batches = by_length(lengths, 4, max_tokens=60)
    assert [batch.tolist() for batch in batches] == [[0], [2, 4], [3, 1, 5]]


def test_no_sequences_give_no_batches():
    assert by_length([], 4) == []


def test_a_batch_size_of_zero_is_refused():
    with pytest.raises(ValueError, match="batch_size of at least 1. Received: 0"):
        by_length([1, 2], 0)
