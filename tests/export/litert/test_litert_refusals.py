"""Refused calls of `export_litert` leave no files behind."""

import pytest
import tensorflow as tf
from small_translator import small_translator

from keras_bahdanau.errors import InputError
from keras_bahdanau.export.litert import UnsupportedOperatorError, export_litert
from keras_bahdanau.export.litert.stepper import Stepper
from keras_bahdanau.translation.translator import Translator


@pytest.fixture(scope="module")
def translator():
    return small_translator()


def test_a_directory_that_is_not_empty_is_refused(translator, tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(InputError, match="new or empty directory"):
        export_litert(translator, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"quantization": "float16"}, "`quantization` must be one of"),
        ({"calibration": ["the house"]}, "`calibration` needs weights to round"),
        ({"quantization": "int8", "calibration": [" "]}, "neither empty nor longer than"),
        ({"quantization": "int8", "calibration": []}, "Received: 0 texts"),
        ({"beam_width": 0}, "`beam_width` must be a positive integer"),
        ({"length_penalty": -0.5}, "`length_penalty` must not be negative"),
        ({"max_length": 2.5}, "`max_length` must be a positive integer"),
    ],
)
def test_arguments_out_of_range_are_refused(translator, tmp_path, arguments, message):
    with pytest.raises(InputError, match=message):
        export_litert(translator, tmp_path / "litert", **arguments)
    assert not any(tmp_path.iterdir())


def test_a_tokenizer_of_another_model_is_refused(translator, tmp_path):
    other = small_translator().model
    other.decoder.vocabulary_size += 1
    mixed = Translator(other, translator.tokenizer)
    with pytest.raises(InputError, match=r"Received: (\d+) pieces, \d+ outputs"):
        export_litert(mixed, tmp_path / "litert")


def test_a_model_that_needs_other_operators_leaves_nothing_behind(
    translator, tmp_path, monkeypatch
):
    plain_step = Stepper.step

    def step(self, *arguments):
        logits, states, attention_scores = plain_step(self, *arguments)
        return tf.math.bessel_i0(logits), states, attention_scores

    monkeypatch.setattr(Stepper, "step", step)
    with pytest.raises(UnsupportedOperatorError, match="BesselI0"):
        export_litert(translator, tmp_path / "litert")
    assert not any(tmp_path.iterdir())


def test_texts_with_too_few_pieces_are_refused(translator, tmp_path):
    with pytest.raises(InputError, match="with at least 5 different pieces. Received: 0"):
        export_litert(translator, tmp_path / "litert", shortlist=[""])
    assert not any(tmp_path.iterdir())


def test_an_ensemble_is_refused(translator, tmp_path):
    both = Translator(translator.model, translator.tokenizer, ensemble=[small_translator()])
    with pytest.raises(InputError, match="Received: an ensemble"):
        export_litert(both, tmp_path / "litert")
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize("references", [[], ["la casa", "un gato"]])
def test_references_that_do_not_fit_are_refused(translator, tmp_path, references):
    with pytest.raises(InputError, match=f"Received: 1 sources, {len(references)} references"):
        export_litert(translator, tmp_path / "litert", sources=["the house"], references=references)
    assert not any(tmp_path.iterdir())
