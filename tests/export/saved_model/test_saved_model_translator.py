import shutil

import numpy as np
import pytest
from small_translator import small_translator

from keras_bahdanau.errors import InputError
from keras_bahdanau.export.saved_model import SavedModelTranslator, export_saved_model
from keras_bahdanau.export.saved_model.assets import MANIFEST_FILE

TEXTS = [
    "the dog runs",
    "",
    "el perro corre la casa roja ñandú 12",
    "cat\0dog שלום 😀 <s>",
    "the dog runs. " * 20,
]


@pytest.fixture(scope="module")
def translator():
    return small_translator()


@pytest.fixture(scope="module")
def directory(translator, tmp_path_factory):
    path = tmp_path_factory.mktemp("export") / "model"
    return export_saved_model(translator, path, beam_width=3, n_best=2)


@pytest.fixture(scope="module")
def saved_model_translator(directory):
    return SavedModelTranslator(directory)


@pytest.fixture
def copy(directory, tmp_path):
    """A copy of the exported directory that a test may damage."""
    return shutil.copytree(directory, tmp_path / "model" / "1")


def test_equals_the_translator(translator, saved_model_translator):
    expected = translator.translate(TEXTS, beam_width=3)
    assert saved_model_translator.translate(TEXTS) == expected
    assert saved_model_translator.translate([]) == []


def test_n_best_and_alignments_equal_the_translators(translator, saved_model_translator):
    expected, expected_split = translator.translate_n_best(
        TEXTS, beam_width=3, n_best=2, return_alignments=True
    )
    received, number_split = saved_model_translator.translate_n_best(TEXTS, n_best=2, batch_size=3)
    assert number_split == expected_split == 1
    for ranked, expected_ranked in zip(received, expected, strict=True):
        for each, other in zip(ranked, expected_ranked, strict=True):
            assert each.text == other.text
            assert each.log_probability == pytest.approx(other.log_probability, rel=1e-6)
            assert each.source_pieces == other.source_pieces
            assert each.target_pieces == other.target_pieces
            np.testing.assert_allclose(each.attention, other.attention, atol=1e-6)


def test_takes_the_highest_version(copy, saved_model_translator):
    shutil.copytree(copy, copy.with_name("10"))
    shutil.copytree(copy, copy.with_name("9"))
    shutil.rmtree(copy / "variables")
    shutil.rmtree(copy.with_name("9") / "variables")
    translator = SavedModelTranslator(copy.parent)
    assert translator.translate(TEXTS[:1]) == saved_model_translator.translate(TEXTS[:1])


@pytest.mark.parametrize("n_best", [0, 3])
def test_refuses_more_translations_than_exported(saved_model_translator, n_best):
    with pytest.raises(ValueError, match=f"n_best from 1 to 2, as exported. Received: {n_best}"):
        saved_model_translator.translate(["the"], n_best=n_best)


def test_refuses_one_string(saved_model_translator):
    with pytest.raises(TypeError, match="Expected a list of texts"):
        saved_model_translator.translate("the dog")


def test_refuses_other_directories(tmp_path):
    with pytest.raises(InputError, match="Expected a SavedModel exported by keras-bahdanau"):
        SavedModelTranslator(tmp_path)
    with pytest.raises(InputError, match="Expected a SavedModel exported by keras-bahdanau"):
        SavedModelTranslator(tmp_path / "absent")


def test_refuses_a_model_without_its_variables(copy):
    shutil.rmtree(copy / "variables")
    with pytest.raises(InputError, match="which cannot be read"):
        SavedModelTranslator(copy)


def test_refuses_half_a_graph(copy):
    graph = copy / "saved_model.pb"
    graph.write_bytes(graph.read_bytes()[:-100])
    with pytest.raises(InputError, match="cannot be read as one"):
        SavedModelTranslator(copy)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"format_version": 1', '"format_version": 2', "of format 1 .* of format 2 "),
        ("keras-bahdanau saved-model", "something else", 'Expected a JSON object with "format"'),
        ("{", "", "Expected a JSON object. Received"),
        ('"max_target_length"', '"other"', "without max_target_length"),
        ('"beam_width": 3', '"beam_width": 0', "Expected beam_width of at least 1. Received: 0"),
        ('"beam_width": 3', '"colour": 3', "Expected search options.*colour"),
    ],
)
def test_refuses_other_manifests(copy, old, new, message):
    manifest = copy / MANIFEST_FILE
    manifest.write_text(manifest.read_text().replace(old, new, 1))
    with pytest.raises(InputError, match=message):
        SavedModelTranslator(copy)
