"""Refused calls of `export_saved_model`; for what it writes see test_saved_model.py."""

import dataclasses
import inspect
import subprocess
import sys

import pytest
import tensorflow as tf
from checkout import SUPPORT
from small_translator import small_translator

from keras_bahdanau.errors import InputError
from keras_bahdanau.export.saved_model import export_saved_model, exporter
from keras_bahdanau.export.saved_model.operations import read_saved_model
from keras_bahdanau.translation.search_options import SearchOptions


@pytest.fixture(scope="module")
def translator():
    return small_translator()


def test_an_export_that_a_server_lacks_operations_for_leaves_nothing(
    translator, tmp_path, monkeypatch
):
    def write_foreign_model(*arguments):
        directory = arguments[-1]
        module = tf.Module()
        module.call = tf.function(lambda x: tf.raw_ops.Betainc(a=x, b=x, x=x))
        call = module.call.get_concrete_function(tf.TensorSpec([], tf.float32))
        tf.saved_model.save(module, str(directory), signatures=call)

    monkeypatch.setattr(exporter, "_write_model", write_foreign_model)
    with pytest.raises(InputError, match="Betainc in the function"):
        export_saved_model(translator, tmp_path / "model")
    assert list((tmp_path / "model").iterdir()) == []


def test_a_gpu_machine_exports_no_cudnn_operations(translator, monkeypatch):
    backend = sys.modules["keras.src.backend.tensorflow.rnn"]
    monkeypatch.setattr(backend, "_is_gpu_available", lambda: True)
    source_ids = tf.TensorSpec([None, None], tf.int32)

    encode = tf.function(lambda ids: translator.model.encoder(ids)["memory"])
    definition = encode.get_concrete_function(source_ids).graph.as_graph_def()
    nodes = [*definition.node, *(n for f in definition.library.function for n in f.node_def)]
    assert "MatMul" in {node.op for node in nodes}
    assert not any("Cudnn" in node.op for node in nodes)


def test_refuses_a_directory_that_holds_something_else(translator, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match=r"versions of a SavedModel \(1, 2, ...\).* has file$"):
        export_saved_model(translator, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_model_with_dropout_exports_no_random_operations(tmp_path):
    texts = ["the dog runs", "a small cat"]
    rates = {"dropout": 0.2, "recurrent_dropout": 0.1, "attention_dropout": 0.1}
    translator = small_translator(order="between", **rates)
    path = export_saved_model(translator, tmp_path / "model", beam_width=2)
    (meta_graph,) = read_saved_model(path).meta_graphs
    functions = meta_graph.graph_def.library.function
    operations = {node.op for function in functions for node in function.node_def}
    assert "MatMul" in operations
    assert not [name for name in operations if "Random" in name]
    translations = tf.saved_model.load(str(path)).signatures["serving_default"](
        text=tf.constant(texts)
    )["translation"]
    expected = translator.translate(texts, beam_width=2)
    assert [text.decode() for text in translations.numpy()] == expected
    cell = translator.model.encoder.get_layer("bidirectional_0").forward_layer.cell
    assert cell.recurrent_dropout == 0.1


@pytest.mark.slow
def test_versions_count_on_and_a_killed_export_does_not_stand_in_the_way(translator, tmp_path):
    (tmp_path / ".3.abcdef").mkdir()
    (tmp_path / "2").mkdir()
    assert export_saved_model(translator, tmp_path) == tmp_path / "3"
    assert (tmp_path / "3" / "saved_model.pb").exists()


EXPORT = """
import sys
from small_translator import small_translator
from keras_bahdanau.export.saved_model import export_saved_model
export_saved_model(small_translator(), sys.argv[1])
"""


@pytest.mark.slow
def test_two_exports_of_a_model_are_equal_to_the_byte(tmp_path):
    for name in ("a", "b"):
        command = [sys.executable, "-c", EXPORT, str(tmp_path / name)]
        subprocess.run(command, check=True, cwd=SUPPORT)
    first, second = (
        {path.relative_to(tmp_path / name): path for path in (tmp_path / name).rglob("*.*")}
        for name in ("a", "b")
    )
    assert first.keys() == second.keys()
    for name, path in first.items():
        assert path.is_dir() or path.read_bytes() == second[name].read_bytes(), name


def test_search_options_are_those_of_the_search_without_sampling():
    named = inspect.signature(export_saved_model).parameters
    sampling = {"sample", "temperature", "top_k", "top_p", "seed"}
    expected = {field.name: field.default for field in dataclasses.fields(SearchOptions)}
    found = {name: named[name].default for name in named if name in expected}
    # As many translations as hypotheses by default.
    assert found == {k: v for k, v in expected.items() if k not in sampling} | {"n_best": None}


@pytest.mark.parametrize("name", ["sample", "temperature"])
def test_refuses_sampling(translator, tmp_path, name):
    with pytest.raises(TypeError, match=f"unexpected keyword argument '{name}'"):
        export_saved_model(translator, tmp_path / "model", **{name: 1})


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"beam_width": 0}, "Expected beam_width of at least 1. Received: 0"),
        ({"beam_width": 1000}, "beam_width of at most [0-9]+, the vocabulary.*beam_width=1000"),
        ({"n_best": 0}, "Expected n_best of at least 1. Received: 0"),
        ({"n_best": 6}, "n_best of at most beam_width. Received: n_best=6, beam_width=5"),
        ({"length_penalty": -1.0}, "Expected length_penalty of at least 0. Received: -1.0"),
        ({"serving_version": "1.15"}, "serving_version among 2.15, 2.20. Received: 1.15"),
        ({"banned_pieces": ["nosuch"]}, "Expected pieces of the vocabulary.*Received: nosuch"),
    ],
)
def test_refuses_numbers_out_of_range(translator, tmp_path, arguments, message):
    with pytest.raises(ValueError, match=message):
        export_saved_model(translator, tmp_path / "model", **arguments)
    assert not (tmp_path / "model").exists()
