"""The example in examples/web/ under Node: it translates as Python does, or says what is wrong."""

import hashlib
import json
import random
import re
import shutil
from pathlib import Path

import pytest
from small_translator import ENGLISH, SPANISH
from web_example import answer_of, run_node, web_example

from keras_bahdanau.export.litert import export_litert
from keras_bahdanau.export.runtime import LiteTranslator

DAMAGED = "which is damaged"
ODD_TEXTS = [
    *("", "   ", "\x00", "\ufeff", "<s> </s>", "\U0001f600", "e\u0301", "\u0645\u0631\u062d\r"),
    *("x" * 200, "the dog sleeps, a house. " * 12, "casa " * 100, "\u4f60\u597d\u3002" * 30),
    *("a cat\u2028runs", "\ud55c\uad6d\uc5b4", "\u0e44\u0e17\u0e22 the red house \x1c "),
]

pytestmark = pytest.mark.ports


@pytest.fixture(scope="module")
def example(tmp_path_factory):
    return web_example(tmp_path_factory.mktemp("web"))


@pytest.fixture(scope="module")
def directory(untrained_litert):
    return untrained_litert


@pytest.fixture
def copied(directory, tmp_path):
    return Path(shutil.copytree(directory, tmp_path / "copied"))


def replace(directory, name, content):
    """Puts another file into an exported directory, with its entry in the manifest."""
    (directory / name).write_bytes(content)
    entry = {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    manifest = json.loads((directory / "manifest.json").read_text(encoding="utf-8"))
    change(directory, "manifest.json", {"files": {**manifest["files"], name: entry}})


def change(directory, name, values):
    """Changes values in a JSON file of an exported directory; the manifest follows."""
    path = directory / name
    changed = json.dumps({**json.loads(path.read_text(encoding="utf-8")), **values})
    if name == "manifest.json":
        path.write_text(changed, encoding="utf-8")
    else:
        replace(directory, name, changed.encode())


def translated(example, directory, texts, *flags):
    stdin = "".join(text + "\n" for text in texts)
    done = run_node(example, "translate_lines.mjs", directory, *flags, stdin=stdin)
    *lines, rest = done.stdout.split("\n")
    assert rest == "" and done.stderr == ""
    return lines


def refusal(example, script, *arguments):
    """The one line with which a script ends that does not like its input."""
    done = run_node(example, script, *arguments, code=2)
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    return line


def test_lines_are_translated_as_in_python(example, directory):
    draw = random.Random(0)
    words = [*ENGLISH.split(), *SPANISH.split()]
    texts = [" ".join(draw.choices(words, k=draw.randint(1, 9))) for _ in range(200)] + ODD_TEXTS
    translator = LiteTranslator(directory)
    for flags, beam_width in (((), None), (("--greedy",), 1)):
        expected = translator.translate(texts, beam_width)
        assert translated(example, directory, texts, *flags) == expected
        assert len(set(expected)) > 60


@pytest.mark.parametrize("quantization", ["float32", "int8"])
def test_the_golden_lines_are_reproduced(example, directory, untrained, quantization, tmp_path):
    if quantization != "float32":
        directory = export_litert(untrained, tmp_path / "litert", quantization=quantization)
    done = run_node(example, "check_golden.mjs", directory)
    names = ("tokenizer_vectors.jsonl", "golden.jsonl")
    texts, lines = ((directory / name).read_text("utf-8").count("\n") for name in names)
    assert done.stdout == (
        f"{texts} texts: the same pieces as SentencePiece's\n"
        f"{lines} lines, greedy and beam: the same translations as Python's\n"
    )


def test_every_tensor_is_freed(example, directory):
    found = answer_of(
        example, "web_tensors.mjs", {"exported": str(directory), "texts": ODD_TEXTS[4:9]}
    )
    assert {name: counts["live"] for name, counts in found.items()} == dict.fromkeys(found, 0)
    assert found.pop("ids that are refused")["made"] == 0
    assert all(counts["made"] > 0 for counts in found.values())


@pytest.mark.parametrize(
    ("name", "change_line", "message"),
    [
        ("golden.jsonl", lambda line: line["beam"]["token_ids"].pop(), "beam.token_ids"),
        ("golden.jsonl", lambda line: line["source_ids"].pop(), "source_ids"),
        ("tokenizer_vectors.jsonl", lambda line: line["ids"].append(5), "ids"),
    ],
)
def test_what_another_model_must_do_is_told(example, copied, name, change_line, message):
    path = copied / name
    first, second, *rest = path.read_text(encoding="utf-8").splitlines(keepends=True)
    line = json.loads(second)
    change_line(line)
    path.write_text("".join([first, json.dumps(line) + "\n", *rest]), encoding="utf-8")
    said = refusal(example, "check_golden.mjs", copied)
    assert f"line 2 of {name} says, {message} [" in said
    assert "of another model" in said


@pytest.mark.parametrize("name", ["translator.tflite", "tokenizer.json", "manifest.json"])
def test_broken_files_are_named(example, copied, name):
    content = (copied / name).read_bytes()
    for broken in (content[: len(content) // 2], b""):
        (copied / name).write_bytes(broken)
        said = refusal(example, "translate_lines.mjs", copied)
        assert name in said and DAMAGED in said
    (copied / name).unlink()
    assert f"{name}, which cannot be read (ENOENT)" in refusal(
        example, "translate_lines.mjs", copied
    )


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("translator.tflite", b"no model", "Expected a LiteRT file that runs here"),
        ("tokenizer.json", b"{}", "Expected a tokenizer of format keras-bahdanau-tokenizer"),
        ("tokenizer.json", b"[]", "Received: format undefined, version undefined"),
        ("tokenizer.json", b"\xff", DAMAGED),
    ],
)
def test_files_of_another_kind_are_refused(example, copied, name, content, message):
    replace(copied, name, content)
    assert message in refusal(example, "translate_lines.mjs", copied)


@pytest.mark.parametrize(
    ("name", "values", "message"),
    [
        ("manifest.json", {"format_version": 2}, "version 1 at most. Received: .*version 2"),
        ("manifest.json", {"files": {}}, "Expected translator.tflite in manifest.json"),
        ("tokenizer.json", {"format_version": 2}, "version 1 at most"),
        ("tokenizer.json", {"model_type": "bpe"}, "unigram .* Received: model type bpe"),
    ],
)
def test_other_formats_are_refused(example, copied, name, values, message):
    change(copied, name, values)
    assert re.search(message, refusal(example, "translate_lines.mjs", copied))


@pytest.mark.parametrize("arguments", [(), ("one", "two"), ("one", "--fast")])
def test_calls_that_are_not_understood_are_refused(example, arguments):
    said = refusal(example, "translate_lines.mjs", *arguments)
    assert said.startswith("translate_lines.mjs: Expected an exported LiteRT directory")
