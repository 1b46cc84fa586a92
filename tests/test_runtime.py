import ast
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from small_translator import small_translator

from keras_bahdanau.export import runtime
from keras_bahdanau.export.litert import export_litert
from keras_bahdanau.export.runtime import ExportedFileError, LiteTranslator, split_at_sentences

TEXTS = ["the red house", "", "el perro corre. a cat sleeps", " \t ", "ñandú 12 ¿qué? \U0001f600"]


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    return export_litert(small_translator(), tmp_path_factory.mktemp("exported") / "litert")


@pytest.fixture
def copied(directory, tmp_path):
    return Path(shutil.copytree(directory, tmp_path / "copied"))


@pytest.fixture(scope="module")
def translator(directory):
    return LiteTranslator(directory)


def test_it_imports_nothing_of_this_package_nor_tensorflow():
    tree = ast.parse(Path(runtime.__file__).read_text(encoding="utf-8"))
    modules = {
        name.split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, (ast.Import, ast.ImportFrom))
        for name in (
            [node.module] if isinstance(node, ast.ImportFrom) else [a.name for a in node.names]
        )
    }
    assert modules - set(sys.stdlib_module_names) == {"numpy", "sentencepiece", "ai_edge_litert"}


def test_the_file_alone_translates_in_a_process_without_tensorflow(directory, translator, tmp_path):
    shutil.copy(runtime.__file__, tmp_path / "lite_runtime.py")
    program = (
        "import json, sys\n"
        "from lite_runtime import LiteTranslator\n"
        "texts = json.loads(sys.argv[2])\n"
        "print(json.dumps(LiteTranslator(sys.argv[1]).translate(texts)))\n"
        "assert not {'tensorflow', 'keras', 'keras_bahdanau'} & set(sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(directory), json.dumps(TEXTS)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(done.stdout) == translator.translate(TEXTS)


def test_the_path_of_the_file_does_as_well(directory, translator):
    beside = LiteTranslator(directory / "translator.tflite")
    assert beside.translate(TEXTS, beam_width=1) == translator.translate(TEXTS, beam_width=1)


def test_it_reproduces_the_golden_lines(directory, translator):
    text = (directory / "golden.jsonl").read_text(encoding="utf-8")
    for line in map(json.loads, text.splitlines()):
        assert translator.source_ids(line["text"]) == line["source_ids"]
        for name, beam_width in (("greedy", 1), ("beam", None)):
            found = translator.search(line["source_ids"], beam_width)
            assert found["token_ids"] == line[name]["token_ids"]
            assert translator.translate([line["text"]], beam_width) == [line[name]["translation"]]


def test_blank_texts_stay_blank(translator):
    assert translator.translate(["", "   ", "\n"]) == ["", "", ""]
    assert list(translator.stream("  ")) == []


@pytest.mark.parametrize("text", [*TEXTS, "a cat runs. the dog sleeps! " * 8, "gato" * 40])
def test_a_stream_is_the_greedy_translation_bit_by_bit(translator, text):
    bits = list(translator.stream(text))
    assert "".join(bits) == translator.translate([text], beam_width=1)[0]
    assert all(bits)


def test_other_beam_widths_are_refused(translator):
    with pytest.raises(ValueError, match="beam_width 1 .* or 5 .*Received: beam_width=3"):
        translator.translate(["the dog"], beam_width=3)


def test_one_string_is_refused(translator):
    with pytest.raises(TypeError, match="list of texts"):
        translator.translate("the dog")


def test_too_many_ids_are_refused(translator):
    with pytest.raises(ValueError, match="1 to 24 source ids. Received: 25"):
        translator.search([5] * 25)


@pytest.mark.parametrize("name", ["translator.tflite", "tokenizer.model", "manifest.json"])
def test_a_missing_file_is_named(copied, name):
    (copied / name).unlink()
    with pytest.raises(ExportedFileError, match=name):
        LiteTranslator(copied)


@pytest.mark.parametrize("name", ["translator.tflite", "tokenizer.model", "manifest.json"])
def test_a_truncated_file_is_named(copied, name):
    content = (copied / name).read_bytes()
    (copied / name).write_bytes(content[: len(content) // 2])
    with pytest.raises(ExportedFileError, match=name):
        LiteTranslator(copied)


def test_a_changed_file_is_named(copied):
    content = bytearray((copied / "translator.tflite").read_bytes())
    content[len(content) // 2] ^= 1
    (copied / "translator.tflite").write_bytes(content)
    with pytest.raises(ExportedFileError, match="translator.tflite.*damaged or another file"):
        LiteTranslator(copied)


@pytest.mark.parametrize("change", [{"format_version": 2}, {"format": "other"}])
def test_a_newer_or_other_format_is_refused(copied, change):
    path = copied / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(ExportedFileError, match="version 1 at most. Received: .*manifest.json"):
        LiteTranslator(copied)


@pytest.mark.parametrize("content", ["[]", "{}", "\xff", '{"format": "keras-bahdanau-litert"}'])
def test_a_manifest_that_is_none_is_refused(copied, content):
    (copied / "manifest.json").write_bytes(content.encode("latin-1"))
    with pytest.raises(ExportedFileError, match="manifest.json"):
        LiteTranslator(copied)


def test_long_texts_are_cut_at_sentence_ends():
    text = "One two. Three four five! Six? Seven eight nine ten eleven"
    parts = split_at_sentences(text, lambda part: len(part.split()), 5)
    assert parts == ["One two. Three four five!", "Six?", "Seven eight nine ten eleven"]


def test_a_long_sentence_is_cut_at_spaces_and_a_long_word_in_halves():
    parts = split_at_sentences("a bb ccc dddddddd", len, 4)
    assert parts == ["a bb", "ccc", "dddd", "dddd"]


def test_all_parts_fit_the_model(translator):
    text = "the dog sleeps. " * 5 + "casa" * 60 + " el perro" * 20
    parts = translator.parts(text)
    assert len(parts) > 2
    assert max(map(translator.source_length, parts)) <= translator.max_length
    assert "".join("".join(parts).split()) == "".join(text.split())
