import pytest
import sentencepiece
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st
from small_translator import small_tokenizer

from keras_bahdanau.export.saved_model.graph_tokenizer import GraphTokenizer
from keras_bahdanau.text.tokenizer import END_ID, PAD_ID, START_ID, UNKNOWN_ID, Tokenizer

LONG = 20_000

TEXTS = [
    "the dog runs",
    "",
    "   ",
    "  the   dog ",
    "<s> the </s> <pad> <unk> [START]",
    "a\0b",
    "\0",
    "el 😀 perro 👨\u200d👩\u200d👧",
    "שלום עולם",
    "e\u0301 ñ ﬁ ½ ①",
    "\t\n\u200b\u3000\u00a0",
    "▁the▁dog ▁",
    "\ufeffthe",
    "漢字かな",
    "\x01\x7f",
    "the dog " * 1250,
    "x" * 10_000,
]


@pytest.fixture(scope="module")
def tokenizer():
    return small_tokenizer()


@pytest.fixture(scope="module")
def graph_tokenizer(tokenizer):
    return GraphTokenizer(tokenizer.model_bytes)


def ids_of(graph_tokenizer, texts, max_length):
    return graph_tokenizer.encode(texts, max_length)[0]


def rows(token_ids):
    """Each row up to its end id, after checking that only padding follows."""
    result = []
    for row in token_ids.numpy().tolist():
        length = row.index(END_ID)
        assert set(row[length + 1 :]) <= {PAD_ID}
        result.append(row[:length])
    return result


@pytest.mark.parametrize("text", TEXTS, ids=lambda text: ascii(text[:12]))
def test_equals_the_python_tokenizer(tokenizer, graph_tokenizer, text):
    token_ids = ids_of(graph_tokenizer, tf.constant([text]), LONG)
    assert rows(token_ids) == [tokenizer.encode(text)]
    decoded = graph_tokenizer.decode(token_ids).numpy()
    assert decoded == [tokenizer.decode(tokenizer.encode(text)).encode()]


@given(texts=st.lists(st.text(max_size=30), min_size=1, max_size=8))
def test_equals_the_python_tokenizer_on_any_batch(tokenizer, graph_tokenizer, texts):
    token_ids = ids_of(graph_tokenizer, tf.constant([text.encode() for text in texts]), LONG)
    expected = [tokenizer.encode(text) for text in texts]
    assert rows(token_ids) == expected
    assert token_ids.shape[1] == max(map(len, expected)) + 1
    decoded = [text.decode() for text in graph_tokenizer.decode(token_ids).numpy()]
    assert decoded == [tokenizer.decode(ids) for ids in expected]


@given(data=st.data())
def test_decodes_any_ids_like_the_python_tokenizer(tokenizer, graph_tokenizer, data):
    ids = st.integers(END_ID + 1, tokenizer.vocabulary_size - 1)
    batch = data.draw(st.lists(st.lists(ids, max_size=9), min_size=1, max_size=5))
    padded = tf.ragged.constant(batch, dtype=tf.int32, ragged_rank=1).to_tensor(PAD_ID)
    decoded = [text.decode() for text in graph_tokenizer.decode(padded).numpy()]
    assert decoded == [tokenizer.decode(ids) for ids in batch]


def test_control_tokens_stay_text(graph_tokenizer):
    (ids,) = rows(ids_of(graph_tokenizer, tf.constant(["<s> </s> <pad>"]), LONG))
    assert not {PAD_ID, START_ID, END_ID} & set(ids)


def test_bytes_that_are_not_utf8_are_read_as_sentencepiece_reads_them():
    tokenizer = Tokenizer.train(["the red dog", "dog the"] * 20, vocabulary_size=30)
    texts = [b"the \xff\xfe dog", b"the \xf0\x9f dog", b"\xed\xa0\x80", b"the dog"]
    token_ids = rows(ids_of(GraphTokenizer(tokenizer.model_bytes), tf.constant(texts), LONG))
    processor = sentencepiece.SentencePieceProcessor(model_proto=tokenizer.model_bytes)
    assert token_ids == [processor.EncodeAsIds(text) for text in texts]
    # What cannot be read is one unknown piece, and its neighbours are what they were.
    assert [UNKNOWN_ID in ids for ids in token_ids] == [True, True, True, False]
    assert token_ids[0][0] == token_ids[3][0]


def test_cuts_long_texts_and_keeps_the_end(tokenizer, graph_tokenizer):
    texts = ["the dog runs the dog runs", "the", ""]
    token_ids = ids_of(graph_tokenizer, tf.constant(texts), 4)
    assert token_ids.shape == (3, 4)
    assert rows(token_ids) == [tokenizer.encode(text)[:3] for text in texts]


def test_limit_of_one_leaves_the_end(graph_tokenizer):
    assert ids_of(graph_tokenizer, tf.constant(["the dog", ""]), 1).numpy().tolist() == [[3], [3]]


def test_no_texts(graph_tokenizer):
    token_ids = ids_of(graph_tokenizer, tf.constant([], tf.string), 8)
    assert token_ids.shape == (0, 1)
    assert graph_tokenizer.decode(token_ids).shape == (0,)


def test_decoding_stops_at_the_end_and_at_padding(tokenizer, graph_tokenizer):
    dog, cat = tokenizer.encode("dog"), tokenizer.encode("cat")
    ids = tf.ragged.constant(
        [dog + [END_ID] + cat, dog + [PAD_ID] + cat, [UNKNOWN_ID] + dog, [END_ID] + dog]
    ).to_tensor(PAD_ID)
    assert graph_tokenizer.decode(ids).numpy().tolist() == [b"dog", b"dog", b"dog", b""]


def test_decodes_and_shows_ids_of_any_rank(tokenizer, graph_tokenizer):
    ids = tokenizer.encode("the dog")
    batch = tf.constant([[ids + [END_ID, PAD_ID], ids[:1] + [END_ID] * 3]][:1])
    assert graph_tokenizer.decode(batch).numpy().tolist() == [[b"the dog", b"the"]]
    pieces = [piece.encode() for piece in tokenizer.pieces(ids)]
    assert graph_tokenizer.pieces(batch).numpy()[0, 0].tolist() == [*pieces, b"</s>", b""]


def test_texts_over_the_limit_are_said_to_be_cut(tokenizer, graph_tokenizer):
    texts = ["the dog", "", "the dog " * 50]
    lengths = [len(tokenizer.encode(text)) + 1 for text in texts]
    for limit in (1, lengths[0] - 1, lengths[0], 1000):
        _, is_cut = graph_tokenizer.encode(tf.constant(texts), limit)
        assert is_cut.numpy().tolist() == [length > limit for length in lengths]
