"""`open_translator`, and the protocol of what it opens: four kinds translate alike."""

import dataclasses
import inspect
import subprocess
import sys

import numpy as np
import pytest
from prediction_server import PredictionServer

import keras_bahdanau
from keras_bahdanau import Translator, open_translator
from keras_bahdanau.errors import InputError
from keras_bahdanau.export import LiteRTTranslator, SavedModelTranslator
from keras_bahdanau.serving import ServedTranslator
from keras_bahdanau.translation import TextTranslator
from keras_bahdanau.translation.search_options import SearchOptions

CLASSES = {
    "directory": Translator,
    "saved-model": SavedModelTranslator,
    "litert": LiteRTTranslator,
    "served": ServedTranslator,
}
EXPORTS = ("saved-model", "litert", "served")
SCORING = ("directory", "saved-model", "served")
TEXTS = [
    "the dog runs",
    "",
    "el perro corre la casa roja ñandú 12",
    "   ",
    "cat שלום 😀 <s>",
    "the dog runs. " * 20,
    "the dog runs",
]


@pytest.fixture(scope="module")
def server(untrained_saved_model):
    with PredictionServer(untrained_saved_model).running() as server:
        yield server


@pytest.fixture(scope="module")
def translators(untrained_directory, untrained_litert, untrained_saved_model, server):
    """One of each kind, opened by its path or address."""
    places = {
        "directory": untrained_directory,
        "saved-model": untrained_saved_model,
        "litert": untrained_litert,
        "served": server.address,
    }
    return {kind: open_translator(place) for kind, place in places.items()}


@pytest.fixture(params=CLASSES)
def kind(request):
    return request.param


@pytest.fixture
def translator(kind, translators):
    return translators[kind]


def test_a_path_or_an_address_opens_its_kind(kind, translator):
    assert type(translator) is CLASSES[kind]
    assert isinstance(translator, TextTranslator)


def test_other_paths_of_an_export(untrained_saved_model, untrained_litert):
    assert isinstance(open_translator(untrained_saved_model.parent), SavedModelTranslator)
    path = str(untrained_litert / "translator.tflite")
    assert isinstance(open_translator(path), LiteRTTranslator)


@pytest.mark.parametrize("method", ["translate", "translate_n_best", "score"])
def test_signatures_are_those_of_the_protocol(kind, method):
    expected = inspect.signature(getattr(TextTranslator, method)).parameters
    received = dict(inspect.signature(getattr(CLASSES[kind], method)).parameters)
    if method == "translate_n_best":
        # Of the search options, the one that LiteRT takes.
        received.pop("beam_width", None)
    assert received == expected


def test_translate_names_every_search_option():
    parameters = inspect.signature(TextTranslator.translate).parameters
    fields = {field.name for field in dataclasses.fields(SearchOptions)}
    given = {"self", "texts", "return_alignments", "prefixes", "batch_size"}
    assert parameters.keys() == fields | given
    kinds = {parameter.kind for parameter in parameters.values()}
    assert kinds == {inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY}


def test_all_translate_alike(translators, translator, kind):
    expected = translators["directory"].translate(TEXTS)
    received, number_split = translator.translate_n_best(TEXTS, batch_size=2)
    # Of a long text, the server's client learns that it was cut, and not where.
    alike = [index for index, text in enumerate(TEXTS) if kind != "served" or len(text) < 99]
    assert translator.translate(TEXTS) == [ranked[0].text for ranked in received]
    assert [received[index][0].text for index in alike] == [expected[index] for index in alike]
    assert number_split == 1
    assert translator.translate([]) == []


def test_the_options_that_an_export_has_may_be_given(translator, kind):
    # A server does not say what they are.
    options = {} if kind == "served" else {"beam_width": 5, "no_repeat_ngram_size": 0}
    assert translator.translate(TEXTS[:1], length_penalty=None, **options) == (
        translator.translate(TEXTS[:1])
    )


def test_limits_and_options_are_told_where_they_are_known(translator, kind):
    if kind == "served":
        assert (translator.max_length, translator.options) == (None, None)
    else:
        assert translator.max_length == 24
        assert (translator.options.beam_width, translator.options.length_penalty) == (5, 1.0)


@pytest.mark.parametrize("kind", SCORING)
def test_n_best_lists_and_alignments(translators, kind):
    texts = [text for text in TEXTS if 0 < len(text.strip()) < 99]
    expected = translators["directory"].translate(texts, n_best=2, return_alignments=True)
    received = translators[kind].translate(texts, n_best=2, return_alignments=True)
    for ranked, expected_ranked in zip(received, expected, strict=True):
        for each, other in zip(ranked, expected_ranked, strict=True):
            assert (each.text, each.target_pieces) == (other.text, other.target_pieces)
            assert each.log_probability == pytest.approx(other.log_probability, rel=1e-5)
            np.testing.assert_allclose(each.attention, other.attention, atol=1e-5)


@pytest.mark.parametrize("kind", SCORING)
def test_all_score_alike(translators, kind):
    sources, targets = ["the dog", "", "el gato corre", "a"], ["el perro", "a", "", "casa roja"]
    expected = translators["directory"].score(sources, targets)
    for batch_size in (None, 3):
        received = translators[kind].score(sources, targets, batch_size=batch_size)
        assert received == pytest.approx(expected, rel=1e-5)
    with pytest.raises(InputError, match="Received: 2 sources, 1 targets"):
        translators[kind].score(["a", "b"], ["a"])


@pytest.mark.parametrize("kind", ["saved-model", "served"])
def test_what_an_export_would_cut_is_not_scored(translators, kind):
    with pytest.raises(InputError, match="longer one in the pair of 'the dog the"):
        translators[kind].score(["a", "the dog " * 40], ["a", "b"])


def test_a_litert_file_does_not_score(translators):
    with pytest.raises(InputError, match="to score with. Received: a LiteRTTranslator"):
        translators["litert"].score(["a"], ["a"])


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"texts": "the dog"}, TypeError, "Expected a list of texts. Received: one str"),
        ({"texts": ["a", None]}, TypeError, "Received: NoneType at index 1"),
        ({"texts": ["a\ud800"]}, InputError, "lone surrogate"),
        ({"n_best": 0}, InputError, "n_best .*Received: 0"),
        ({"n_best": 6}, InputError, "n_best"),
        ({"batch_size": 0}, ValueError, "batch_size of at least 1. Received: 0"),
        ({"colour": 1}, TypeError, "colour"),
        ({"length_penalty": -1.0}, InputError, "length_penalty"),
        ({"beam_width": 0}, InputError, "beam_width"),
        ({"top_p": 2}, InputError, "top_p from 1e-06 to 1. Received: 2"),
        ({"prefixes": ["a", "b"]}, InputError, "prefixes"),
    ],
)
def test_all_refuse_the_same_wrong_calls(translator, arguments, error, message):
    for method in (translator.translate, translator.translate_n_best):
        with pytest.raises(error, match=message):
            method(**{"texts": ["the dog"], **arguments})


@pytest.mark.parametrize("kind", EXPORTS)
@pytest.mark.parametrize(
    "options",
    [{"beam_width": 3}, {"length_penalty": 0.5}, {"sample": True}, {"banned_pieces": ["▁the"]}],
)
def test_an_export_keeps_its_search(translators, kind, options):
    (name,) = options
    with pytest.raises(InputError, match=f"fixed in the served model.*{name}|{name}.*fixed in"):
        translators[kind].translate(["the dog"], **options)


def test_a_litert_file_searches_greedily_too(translators):
    expected = translators["directory"].translate(TEXTS, beam_width=1)
    received, _ = translators["litert"].translate_n_best(TEXTS[:1], beam_width=1)
    assert translators["litert"].translate(TEXTS, beam_width=1) == expected
    assert np.isnan(received[0][0].log_probability)
    for options in ({"n_best": 2}, {"return_alignments": True}):
        with pytest.raises(InputError, match="as exported|gives no attention weights"):
            translators["litert"].translate(["the dog"], **options)


def test_an_ensemble(untrained_directory, untrained_litert, untrained_saved_model):
    assert open_translator(untrained_directory, [untrained_directory]).is_ensemble
    for export in (untrained_litert, untrained_saved_model, "localhost:8500"):
        with pytest.raises(InputError, match=f"in an ensemble. Received: {export}, an export"):
            open_translator(export, [untrained_directory])
    with pytest.raises(InputError, match=f"model directory at {untrained_litert}"):
        open_translator(untrained_directory, [untrained_litert])


@pytest.mark.parametrize("place", ["nosuch", "nosuch/model", "host:", ":8500", "a/b:80", "host:x"])
def test_neither_a_path_nor_an_address(place):
    with pytest.raises(InputError, match=f"Received: no model directory at {place}"):
        open_translator(place)


def test_a_path_wins_over_an_address(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "localhost:8500").mkdir()
    with pytest.raises(InputError, match="no model directory at localhost:8500: it has no config"):
        open_translator("localhost:8500")


def test_the_name_of_the_model_on_a_server(server):
    translator = open_translator(server.address, model_name="nosuch")
    with pytest.raises(InputError, match="nosuch: Servable not found"):
        translator.translate(["the dog"])


def test_it_is_public():
    assert keras_bahdanau.open_translator is open_translator
    assert "open_translator" in keras_bahdanau.__all__


def test_a_litert_file_is_opened_without_keras(untrained_litert):
    code = (
        "import sys; from keras_bahdanau import open_translator;"
        "print(open_translator(sys.argv[1]).translate(['the dog']));"
        "print(sorted({'keras', 'tensorflow'} & set(sys.modules)))"
    )
    completed = subprocess.run(
        [sys.executable, "-c", code, untrained_litert], capture_output=True, text=True, check=True
    )
    assert completed.stdout.splitlines()[1:] == ["[]"]
    assert completed.stderr == ""
