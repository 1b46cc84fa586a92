"""The runtime refuses missing, damaged and mismatched files."""

import hashlib
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from small_translator import small_translator

from keras_bahdanau.export import runtime
from keras_bahdanau.export.litert import export_litert
from keras_bahdanau.export.runtime import ExportedFileError, GoldenDifferenceError, LiteTranslator
from keras_bahdanau.text.tokenizer import Tokenizer

API_NAMES = ["interpreter", "compiled-model"]


@pytest.fixture(scope="module")
def directory(untrained_litert):
    return untrained_litert


@pytest.fixture(scope="module")
def other(tmp_path_factory):
    """An export of another model, with the same tokenizer."""
    translator = small_translator(embedding_dim=8, encoder_units=6, decoder_units=10)
    return export_litert(translator, tmp_path_factory.mktemp("exported") / "litert")


@pytest.fixture
def copied(directory, tmp_path):
    return Path(shutil.copytree(directory, tmp_path / "copied"))


def replace(directory, name, content):
    """Writes a file with what the manifest says of it."""
    (directory / name).write_bytes(content)
    path = directory / "manifest.json"
    manifest = json.loads(path.read_text(encoding="utf-8"))
    entry = {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    manifest["files"][name] = entry
    path.write_text(json.dumps(manifest), encoding="utf-8")


def run_program(directory, *arguments, given=b""):
    """Runs the runtime as a program; returns its exit code, output and last line of errors."""
    done = subprocess.run(
        [sys.executable, runtime.__file__, str(directory), *arguments],
        input=given,
        capture_output=True,
    )
    # LiteRT writes there too, without an end of line.
    errors = [line for line in done.stderr.decode().splitlines() if line.startswith("error: ")]
    return done.returncode, done.stdout.decode("utf-8"), errors


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


@pytest.mark.parametrize("api", API_NAMES)
@pytest.mark.parametrize(
    "content",
    [
        lambda file: b"",
        lambda file: b"text" * 1000,
        lambda file: file[: len(file) // 10],
        lambda file: file[: len(file) // 2],
        lambda file: file[:-100],
        lambda file: file[:4] + b"TFL9" + file[8:],
        lambda file: bytes(64) + file[64:],
    ],
    ids=["empty", "text", "a tenth", "a half", "no end", "another kind", "no beginning"],
)
def test_a_damaged_file_that_the_manifest_names_does_not_end_the_process(copied, content, api):
    replace(copied, "translator.tflite", content((copied / "translator.tflite").read_bytes()))
    code, output, errors = run_program(copied, "--check", "--api", api)
    assert (code, output) == (2, "")
    assert len(errors) == 1 and "translator.tflite, which is damaged" in errors[0]


@pytest.mark.parametrize("api", API_NAMES)
def test_the_file_of_another_model_is_refused(copied, other, api):
    replace(copied, "translator.tflite", (other / "translator.tflite").read_bytes())
    with pytest.raises(ExportedFileError, match="translator.tflite, where .*'decode_step'.*differ"):
        LiteTranslator(copied, api=api)


def test_a_limit_that_the_file_does_not_have_is_refused(copied):
    path = copied / "manifest.json"
    manifest = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**manifest, "max_length": 25}), encoding="utf-8")
    with pytest.raises(ExportedFileError, match="translator.tflite, where max_length differs"):
        LiteTranslator(copied)


@pytest.mark.parametrize("content", [b"", b"text", b"\x0a\x00" * 9])
def test_a_tokenizer_that_is_none_is_refused(copied, content):
    replace(copied, "tokenizer.model", content)
    with pytest.raises(ExportedFileError, match="tokenizer.model"):
        LiteTranslator(copied)


def test_a_tokenizer_of_another_vocabulary_is_refused(copied):
    model = Tokenizer.train(["one two three four five six seven"] * 20, vocabulary_size=24)
    replace(copied, "tokenizer.model", model.model_bytes)
    message = f"tokenizer of 48 pieces. .*tokenizer.model, of {model.vocabulary_size}"
    with pytest.raises(ExportedFileError, match=message):
        LiteTranslator(copied)


def test_golden_lines_of_another_model_are_told_apart(copied, other):
    replace(copied, "golden.jsonl", (other / "golden.jsonl").read_bytes())
    with pytest.raises(GoldenDifferenceError, match="golden.jsonl, line 1, greedy. Received: "):
        LiteTranslator(copied).check_golden()


@pytest.mark.parametrize(
    ("change", "place"),
    [
        (lambda line: line["pieces"].reverse(), "pieces .* line 2. "),
        (lambda line: line["source_ids"].insert(0, 9), "source_ids .* line 2. "),
        (lambda line: line.pop("max_length"), "max_length None, .* line 2. "),
        (
            lambda line: line["greedy"].update(translation="other"),
            "translation 'other', .* line 2, greedy. ",
        ),
        (lambda line: line["beam"].update(token_ids=[3]), r"token_ids \[3\], .* line 2, beam. "),
        (lambda line: line["beam"].update(score=0.5), "score 0.5, .* line 2, beam. "),
    ],
)
def test_the_first_golden_difference_is_named(copied, change, place):
    lines = (copied / "golden.jsonl").read_text(encoding="utf-8").splitlines()
    second = json.loads(lines[1])
    change(second)
    lines[1:] = [json.dumps(second)] * 2
    replace(copied, "golden.jsonl", "".join(f"{line}\n" for line in lines).encode())
    with pytest.raises(GoldenDifferenceError, match=f"Expected {place}Received: "):
        LiteTranslator(copied).check_golden()


@pytest.mark.parametrize("content", [b"text\n", b"{}\n", b"[]\n", b'{"text": 1}\n', b"\xff\n"])
def test_golden_lines_that_are_none_are_refused(copied, content):
    replace(copied, "golden.jsonl", content)
    with pytest.raises(ExportedFileError, match="golden line. Received: .*golden.jsonl, line 1"):
        LiteTranslator(copied).check_golden()


def test_a_missing_golden_file_is_named(copied):
    (copied / "golden.jsonl").unlink()
    with pytest.raises(ExportedFileError, match="golden.jsonl, which cannot be read"):
        LiteTranslator(copied).check_golden()


@pytest.mark.parametrize("api", API_NAMES)
def test_the_program_translates_line_by_line(directory, api):
    given = "the red house\n\n  \r\nñandú 12\n"
    code, output, errors = run_program(directory, "--api", api, given=given.encode())
    assert (code, errors) == (0, [])
    expected = LiteTranslator(directory).translate(["the red house", "", "", "ñandú 12"])
    assert output == "".join(f"{line}\n" for line in expected)


def test_the_program_checks_a_directory(directory):
    number = len((directory / "golden.jsonl").read_bytes().splitlines())
    code, output, errors = run_program(directory, "--check")
    assert (code, output, errors) == (0, f"{number} lines of golden.jsonl reproduced\n", [])


@pytest.mark.parametrize(
    ("arguments", "given", "message"),
    [
        (["--beam-width", "3"], b"the dog\n", "beam_width 1 .* or 5 .*Received: beam_width=3"),
        ([], b"the dog\n\xff\n", "Expected UTF-8. Received: invalid bytes, line 2"),
    ],
)
def test_the_program_ends_with_one_line_on_wrong_input(directory, arguments, given, message):
    code, _, errors = run_program(directory, *arguments, given=given)
    assert code == 2
    assert len(errors) == 1 and re.search(message, errors[0])


def test_the_program_names_a_directory_that_is_none(tmp_path):
    code, output, errors = run_program(tmp_path)
    assert (code, output) == (2, "")
    assert "manifest.json, which cannot be read" in errors[0]
