import numpy as np
import pytest
from prediction_server import PredictionServer

from keras_bahdanau.errors import InputError
from keras_bahdanau.serving import ServedTranslator

LONG = "the dog runs. el perro corre! " * 9
TEXTS = ["the dog runs", "", LONG, "el gato", "   ", "the dog runs", "the cat", "a", "<s> 😀"]


@pytest.fixture(scope="module")
def translator(untrained):
    return untrained


@pytest.fixture(scope="module")
def server(untrained_saved_model):
    with PredictionServer(untrained_saved_model).running() as server:
        yield server


@pytest.fixture
def served(server):
    server.requests.clear()
    with ServedTranslator(server.address) as served:
        yield served
    server.failures, server.delay = 0, 0.0


def test_short_texts_are_translated_as_by_the_model(served, server, translator):
    short = [text for text in TEXTS if text != LONG]
    assert served.translate(short, batch_size=3) == translator.translate(short)
    assert {signature for signature, _ in server.requests} == {"serving_default"}
    sent = [text for _, texts in server.requests for text in texts]
    assert sorted(sent) == sorted({text for text in short if text.strip()})
    assert all(len(texts) <= 3 for _, texts in server.requests)
    assert served.translate([]) == []


def test_n_best_and_attention_are_the_models(served, translator):
    texts = [text for text in TEXTS if text.strip() and text != LONG]
    received = served.translate(texts, n_best=2, return_alignments=True)
    expected = translator.translate(texts, n_best=2, return_alignments=True)
    for ranked, expected_ranked in zip(received, expected, strict=True):
        for each, other in zip(ranked, expected_ranked, strict=True):
            assert (each.text, each.source_pieces) == (other.text, other.source_pieces)
            assert each.log_probability == pytest.approx(other.log_probability, rel=1e-5)
            np.testing.assert_allclose(each.attention, other.attention, atol=1e-5)
            assert each.word_alignment().pharaoh() == other.word_alignment().pharaoh()


def test_a_text_over_the_limit_is_translated_in_parts(served, server, translator):
    (translation,), number_split = served.translate_n_best([LONG], return_alignments=True)
    assert number_split == 1
    pieces = translator.tokenizer.encode(LONG)
    read = [piece for piece in translation[0].source_pieces if piece != "</s>"]
    assert read == translator.tokenizer.pieces(pieces)
    assert translation[0].source_pieces.count("</s>") > len(pieces) // translator.max_length


def test_all_of_an_n_best_list_is_blank_for_a_blank_text(served):
    assert served.translate([" ", "\t"], n_best=2) == [["", ""], ["", ""]]


def test_a_server_that_is_not_ready_yet_is_asked_again(served, server):
    server.failures = 3
    assert served.translate(["the dog"]) == served.translate(["the dog"])
    assert len(server.requests) == 3 + 1 + 1


def test_a_server_that_stays_away_is_named(served, server):
    server.failures = 100
    with pytest.raises(ConnectionError, match=f"^unavailable: {server.address}: translator: load"):
        served.translate(["the dog"])
    assert len(server.requests) == 5


def test_no_answer_in_time(server):
    server.delay = 1.0
    with (
        ServedTranslator(server.address, timeout=0.2) as hasty,
        pytest.raises(TimeoutError, match="no answer within 0.2 seconds: 127.*: translator"),
    ):
        hasty.translate(["the dog"])
    server.delay = 0.0


def test_a_model_that_is_not_there(server):
    with (
        ServedTranslator(server.address, "nosuch") as served,
        pytest.raises(InputError, match="Received: 127.*: nosuch: Servable not found"),
    ):
        served.translate(["the dog"])


def test_more_translations_than_exported(served):
    with pytest.raises(InputError, match="n_best of at most 2, as exported. Received: 3"):
        served.translate(["the dog"], n_best=3)


def test_a_model_of_another_kind():
    with (
        PredictionServer().running() as server,
        ServedTranslator(server.address) as served,
        pytest.raises(InputError, match="that keras-bahdanau exported. .* with the outputs text$"),
    ):
        served.translate(["the dog"])


@pytest.mark.parametrize("address", ["localhost", "http://localhost", ":8500", "localhost:x"])
def test_what_is_no_address(address):
    with pytest.raises(InputError, match=f"as host:port. Received: {address}"):
        ServedTranslator(address)


@pytest.mark.parametrize("wrong", [{"timeout": 0}, {"attempts": 0}, {"attempts": 6}])
def test_limits_of_requests(wrong):
    with pytest.raises(InputError, match="1 to 5 attempts"):
        ServedTranslator("localhost:8500", **wrong)
