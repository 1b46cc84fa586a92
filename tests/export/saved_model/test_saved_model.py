"""The exported SavedModel through TensorFlow's C++ loader against the Python translator."""

import dataclasses
import json
import os
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from cpp_answers import run_cpp_loader
from small_translator import small_translator

import keras_bahdanau
from keras_bahdanau.export.saved_model import export_saved_model
from keras_bahdanau.export.saved_model.assets import MANIFEST_FILE, TOKENIZER_FILE
from keras_bahdanau.translation.search_options import SearchOptions

TEXTS = [
    "the dog runs",
    "",
    "el perro corre la casa roja ñandú 12",
    "   ",
    "<s> the </s> 😀",
    "the",
    "cat\0dog שלום",
]
SOURCES = [*TEXTS, "the dog", ""]
TARGETS = [*TEXTS[::-1], "", "el perro"]


@pytest.fixture(scope="module")
def translator():
    return small_translator()


@pytest.fixture(scope="module")
def directory(translator, tmp_path_factory):
    return export_saved_model(translator, tmp_path_factory.mktemp("export") / "model", n_best=3)


@pytest.fixture(scope="module")
def report(directory):
    """All answers of one C++ process, by name."""
    requests = {
        "together": ("serving_default", {"text": TEXTS}),
        "none": ("serving_default", {"text": []}),
        "n_best": ("translate_n_best", {"text": TEXTS}),
        "score": ("score", {"source": SOURCES, "target": TARGETS}),
        "invalid": ("serving_default", {"text": [{"b64": "//4="}]}),
        "long": ("serving_default", {"text": ["the dog " * 1250, "the"]}),
        **{f"alone {i}": ("serving_default", {"text": [t]}) for i, t in enumerate(TEXTS)},
        **{f"n_best alone {i}": ("translate_n_best", {"text": [t]}) for i, t in enumerate(TEXTS)},
    }
    result = run_cpp_loader(directory, requests.values())
    return {
        "signatures": result["signatures"],
        **dict(zip(requests, result["answers"], strict=True)),
    }


def test_signatures(report):
    del report["signatures"]["__saved_model_init_op"]
    assert report["signatures"] == {
        "serving_default": {
            "inputs": ["text"],
            "outputs": ["is_cut", "log_probability", "translation"],
        },
        "translate_n_best": {
            "inputs": ["text"],
            "outputs": [
                "attention",
                "is_cut",
                "log_probability",
                "source_tokens",
                "source_words",
                "target_tokens",
                "target_words",
                "translation",
                "word_alignment",
                "word_attention",
            ],
        },
        "score": {
            "inputs": ["source", "target"],
            "outputs": ["is_cut", "log_probability", "target_length"],
        },
    }


def test_translations_equal_the_translators(translator, report):
    expected = translator.translate(TEXTS, return_alignments=True)
    assert report["together"]["translation"] == [each.text for each in expected]
    np.testing.assert_allclose(
        report["together"]["log_probability"],
        [each.log_probability for each in expected],
        rtol=1e-6,
    )
    assert len(set(report["together"]["translation"])) > 3  # The model tells texts apart.


def test_blank_texts_have_blank_translations(report):
    for index, text in enumerate(TEXTS):
        if not text.strip():
            assert report["together"]["translation"][index] == ""
            assert report["together"]["log_probability"][index] == 0.0
            assert report["n_best"]["translation"][index] == ["", "", ""]
            assert report["n_best"]["log_probability"][index] == [0.0, 0.0, 0.0]
            assert not np.any(report["n_best"]["attention"][index])


def test_answers_do_not_depend_on_company(report):
    for index in range(len(TEXTS)):
        alone = report[f"alone {index}"]
        assert alone["translation"] == [report["together"]["translation"][index]]
        np.testing.assert_allclose(
            alone["log_probability"][0], report["together"]["log_probability"][index], rtol=1e-6
        )
        alone, company = report[f"n_best alone {index}"], report["n_best"]
        assert alone["translation"][0] == company["translation"][index]
        for rank, tokens in enumerate(alone["target_tokens"][0]):
            np.testing.assert_allclose(
                np.array(alone["attention"][0][rank]),
                np.array(company["attention"][index][rank])[
                    : len(tokens), : len(alone["source_tokens"][0])
                ],
                atol=1e-6,
            )


def test_n_best_equals_the_translators(translator, report):
    expected = translator.translate(TEXTS, n_best=3, return_alignments=True)
    outputs = report["n_best"]
    for row, ranked in enumerate(expected):
        if len(ranked) == 1:  # A blank text.
            continue
        for rank, each in enumerate(ranked):
            target_length, source_length = each.attention.shape
            assert outputs["translation"][row][rank] == each.text
            assert outputs["log_probability"][row][rank] == pytest.approx(
                each.log_probability, rel=1e-6
            )
            source_tokens = outputs["source_tokens"][row]
            assert tuple(source_tokens[:source_length]) == each.source_pieces
            assert not any(source_tokens[source_length:])
            target_tokens = outputs["target_tokens"][row][rank]
            assert tuple(target_tokens[:target_length]) == each.target_pieces
            assert not any(target_tokens[target_length:])
            attention = np.array(outputs["attention"][row][rank])
            np.testing.assert_allclose(
                attention[:target_length, :source_length], each.attention, atol=1e-6
            )
            assert not attention[target_length:].any()
            assert not attention[:, source_length:].any()


def test_word_alignments_are_the_translators(translator, report):
    expected = translator.translate(TEXTS, n_best=3, return_alignments=True)
    outputs = report["n_best"]
    for row, ranked in enumerate(expected):
        for rank, each in enumerate(ranked):
            words, found = each.word_alignment(), outputs["target_words"][row][rank]
            assert [word for word in outputs["source_words"][row] if word] == words.source_words
            assert [word for word in found if word] == words.target_words
            assert outputs["word_alignment"][row][rank] == words.pharaoh()
            if not words.is_blank:
                weights = np.array(outputs["word_attention"][row][rank])
                rows, columns = words.weights.shape
                np.testing.assert_allclose(weights[:rows, :columns], words.weights, atol=1e-6)


def test_scores_equal_the_translators(translator, report):
    expected = translator.score(SOURCES, TARGETS)
    np.testing.assert_allclose(report["score"]["log_probability"], expected, rtol=1e-5)
    lengths = [len(translator.tokenizer.encode(target)) + 1 for target in TARGETS]
    assert report["score"]["target_length"] == lengths


def test_no_text_bytes_that_are_not_utf8_and_long_text(translator, report):
    assert report["none"] == {"translation": [], "log_probability": [], "is_cut": []}
    assert isinstance(report["invalid"]["translation"][0], str)
    ids = translator.tokenizer.encode("the dog " * 1250)
    limit = translator.config["max_length"]
    cut = translator.tokenizer.decode(ids[: limit - 1])
    assert report["long"]["translation"] == translator.translate([cut, "the"])
    assert report["long"]["is_cut"] == [True, False]


@pytest.mark.slow
@pytest.mark.parametrize(
    "arguments",
    [
        {"cell": "lstm", "num_layers": 2, "order": "after", "tie_embeddings": "none"},
        {"order": "between", "tie_embeddings": "all"},
    ],
    ids=["lstm-two-layers-after-untied", "between-all-tied"],
)
def test_every_kind_of_model(arguments, tmp_path):
    translator = small_translator(**arguments)
    directory = export_saved_model(translator, tmp_path / "model", beam_width=2, length_penalty=0.6)
    (answer,) = run_cpp_loader(directory, [("serving_default", {"text": TEXTS})])["answers"]
    assert answer["translation"] == translator.translate(TEXTS, beam_width=2, length_penalty=0.6)


def test_weights_are_on_disk_once(translator, directory):
    on_disk = sum(path.stat().st_size for path in directory.glob("variables/*.data*"))
    in_model = sum(weight.numpy().nbytes for weight in translator.model.weights)
    assert in_model <= on_disk < in_model * 1.2 + 5_000


def test_nothing_in_it_depends_on_where_it_was_made(directory):
    paths = {
        str(Path(module.__file__).parent).encode() for module in (keras_bahdanau, keras, tf)
    } | {str(directory.parent).encode(), os.getcwd().encode()}
    for file in directory.rglob("*"):
        if file.is_file():
            content = file.read_bytes()
            assert not [path for path in paths if path in content], file


def test_extra_files(translator, directory):
    assert (directory / TOKENIZER_FILE).read_bytes() == translator.tokenizer.model_bytes
    assert json.loads((directory / MANIFEST_FILE).read_text()) == {
        "format": "keras-bahdanau saved-model",
        "format_version": 1,
        "package_version": keras_bahdanau.version.__version__,
        "serving_version": "2.15",
        "search": {
            **dataclasses.asdict(SearchOptions(beam_width=5, n_best=3, length_penalty=1.0)),
            "banned_pieces": [],
        },
        "max_length": 24,
        "max_target_length": 30,
    }
