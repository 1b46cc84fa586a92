"""examples/c/translate.c on LiteRT's library against the runtime in Python."""

import json
import shutil
from pathlib import Path

import pytest
from c_program import build, litert_options, run
from random_texts import random_texts
from small_translator import small_translator

from keras_bahdanau.export.litert import export_litert
from keras_bahdanau.export.litert.artifacts import write_manifest
from keras_bahdanau.export.runtime import LiteTranslator

pytestmark = pytest.mark.ports
LONG = [
    "the dog sleeps. " * 5 + "casa" * 60 + " el perro" * 20,
    "a cat runs! the dog sleeps? " * 9,
    "casa\u3002gato\uff01" * 20 + "the dog! x",
    "\u3000 the dog.\u2003\u2003a cat?\u00a0" * 9,
    "a\u2026  b! " * 30,
    ". . . " * 40,
    "perro\u3002 \u3002" * 30,
]


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    return build(tmp_path_factory.mktemp("c") / "translate", "-O2", *litert_options())


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    return export_litert(small_translator(), tmp_path_factory.mktemp("exported") / "litert")


@pytest.fixture
def copied(directory, tmp_path):
    return Path(shutil.copytree(directory, tmp_path / "copied"))


@pytest.mark.parametrize("name", ["golden.jsonl", "tokenizer_vectors.jsonl"])
def test_it_reproduces_the_files_of_the_export(program, directory, name):
    code, output, _ = run(program, directory, "--check", directory / name)
    assert code == 0
    lines = len((directory / name).read_text(encoding="utf-8").splitlines())
    assert output[0].decode().endswith(f"{name}: {lines} lines agree")


@pytest.mark.parametrize(("options", "beam_width"), [([], None), (["--greedy"], 1)])
def test_it_translates_line_by_line_as_python_does(program, directory, options, beam_width):
    translator = LiteTranslator(directory)
    size = translator.tokenizer.GetPieceSize()
    pieces = [translator.tokenizer.IdToPiece(i) for i in range(4, size)]
    texts = ["the red house", "", " \t ", *LONG]
    texts += [text.replace("\n", " ") for text in random_texts(60, pieces, seed=8)]
    assert all(translator.source_length(text) > translator.max_length for text in LONG)
    lines = [text.encode("utf-8") for text in texts]
    code, output, _ = run(program, directory, *options, lines=lines)
    assert code == 0
    assert [line.decode("utf-8") for line in output] == translator.translate(texts, beam_width)


@pytest.mark.parametrize("damage", ["missing", "truncated", "changed", "another"])
def test_a_file_that_is_not_the_models_is_refused(program, copied, damage):
    path = copied / "translator.tflite"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    if damage == "missing":
        path.unlink()
    else:
        path.write_bytes({"truncated": content[:999], "another": b"x"}.get(damage, content))
    code, output, errors = run(program, copied, lines=[b"the dog"])
    assert (code, output) == (2, [])
    assert "translator.tflite, " in errors and errors.count("\n") == 1


@pytest.mark.parametrize("name", ["max_length", "max_target_length"])
def test_a_file_of_other_sizes_than_the_manifest_says_is_refused(program, copied, name):
    manifest = json.loads((copied / "manifest.json").read_text(encoding="utf-8"))
    write_manifest(copied, {**manifest, name: manifest[name] + 1})
    code, output, errors = run(program, copied, lines=[b"the dog"])
    assert (code, output) == (2, [])
    assert f"Expected {manifest[name] + 1} numbers, as manifest.json says" in errors
