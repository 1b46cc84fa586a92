"""examples/c/tokenizer.h, built without LiteRT, against SentencePiece."""

import json
import random

import pytest
import sentencepiece
from c_program import SANITIZERS, build, run
from random_texts import built_in_tokenizer, random_texts
from small_translator import small_tokenizer
from tokenizer_directory import write_directory, write_manifest_of, write_vectors_of

from keras_bahdanau.export.litert.tokenizer_file import read_sentencepiece_model, write_vectors

pytestmark = pytest.mark.ports


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    return build(tmp_path_factory.mktemp("c") / "tokenize", "-O2", "-DTOKENIZER_ONLY")


@pytest.fixture(scope="module")
def checked_program(tmp_path_factory):
    path = tmp_path_factory.mktemp("c") / "tokenize"
    return build(path, *SANITIZERS, "-DTOKENIZER_ONLY")


@pytest.fixture
def directory(tmp_path):
    return write_directory(tmp_path / "exported", small_tokenizer().model_bytes)


def pieces_of(model_bytes):
    return [piece.piece for piece in read_sentencepiece_model(model_bytes).pieces][4:]


def assert_agrees(program, directory, path):
    code, output, errors = run(program, directory, "--check", path)
    assert (code, errors) == (0, "")
    assert output[0].endswith(b"lines agree")


def test_ten_thousand_random_texts_are_cut_as_sentencepiece_does(program, tmp_path):
    model_bytes = built_in_tokenizer().model_bytes
    directory = write_directory(tmp_path / "exported", model_bytes)
    texts = random_texts(10_000, pieces_of(model_bytes))
    write_vectors_of(tmp_path / "vectors.jsonl", model_bytes, texts)
    assert_agrees(program, directory, tmp_path / "vectors.jsonl")


@pytest.mark.parametrize(
    "treatment",
    [
        {"add_dummy_prefix": False},
        {"remove_extra_whitespaces": False},
        {"escape_whitespaces": False},
        {"precompiled_charsmap": b""},
    ],
    ids=str,
)
def test_every_treatment_of_text_and_spaces_is_followed(program, tmp_path, treatment):
    model = read_sentencepiece_model(small_tokenizer().model_bytes)
    for name, value in treatment.items():
        setattr(model.normalizer_spec, name, value)
    model_bytes = model.SerializeToString()
    directory = write_directory(tmp_path / "exported", model_bytes)
    texts = random_texts(500, pieces_of(model_bytes), seed=5)
    write_vectors_of(tmp_path / "vectors.jsonl", model_bytes, texts)
    assert_agrees(program, directory, tmp_path / "vectors.jsonl")


def test_the_vectors_come_out_with_no_word_of_the_sanitizers(checked_program, directory):
    write_vectors(directory / "vectors.jsonl", small_tokenizer().model_bytes)
    assert_agrees(checked_program, directory, directory / "vectors.jsonl")


def test_bytes_that_are_no_utf_8_are_cut_as_sentencepiece_does(checked_program, directory):
    draw = random.Random(0)
    lines = [draw.randbytes(draw.randint(0, 20)).replace(b"\n", b"") for _ in range(300)]
    lines += [b"\xed\xa0\x80", b"\xc0\x80", b"\xf4\x90\x80\x80", b"\xf8\x88\x80", b"a\xe2\x96"]
    processor = sentencepiece.SentencePieceProcessor(model_proto=small_tokenizer().model_bytes)
    code, output, errors = run(checked_program, directory, "--tokenize", lines=lines)
    assert (code, errors) == (0, "")
    for line, found in zip(lines, output, strict=True):
        pairs = zip(processor.EncodeAsPieces(line), processor.EncodeAsIds(line), strict=True)
        assert found.decode("utf-8") == " ".join(f"{piece}={i}" for piece, i in pairs)


def test_another_vector_is_named(program, directory):
    path = directory / "vectors.jsonl"
    write_vectors(path, small_tokenizer().model_bytes)
    lines = path.read_text().splitlines()
    wrong = {**json.loads(lines[4]), "ids": [5]}
    path.write_text("\n".join([*lines[:4], json.dumps(wrong), *lines[5:]]))
    code, _, errors = run(program, directory, "--check", path)
    assert code == 1
    assert 'vectors.jsonl, line 5: another "ids" than expected' in errors


def assert_refused(program, directory, message):
    code, output, errors = run(program, directory, "--tokenize", lines=[b"the dog"])
    assert (code, output) == (2, [])
    assert errors.startswith("translate: Expected ") and errors.count("\n") == 1
    assert message in errors


@pytest.mark.parametrize("name", ["tokenizer.json", "manifest.json"])
def test_missing_and_truncated_files_are_named(checked_program, directory, name):
    content = (directory / name).read_bytes()
    (directory / name).write_bytes(content[: len(content) // 2])
    assert_refused(checked_program, directory, f"{name}, ")
    (directory / name).unlink()
    assert_refused(checked_program, directory, f"{name}, which cannot be read")


def test_the_tokenizer_of_another_model_is_refused(checked_program, directory, tmp_path):
    other = write_directory(tmp_path / "other", built_in_tokenizer().model_bytes)
    (other / "tokenizer.json").replace(directory / "tokenizer.json")
    assert_refused(checked_program, directory, "which is damaged or another file")


def test_a_tokenizer_of_another_size_is_refused(checked_program, directory):
    write_manifest_of(directory, vocabulary_size=90)
    assert_refused(checked_program, directory, "Expected 90 pieces. Received: ")


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("manifest.json", {"format": "other"}, "format keras-bahdanau-litert, version 1"),
        ("manifest.json", {"format_version": 2}, "version 2"),
        ("manifest.json", {"max_length": "64"}, 'the key "max_length"'),
        ("manifest.json", {"max_length": -1}, '"max_length": -1'),
        ("tokenizer.json", {"format": "other"}, "format keras-bahdanau-tokenizer, version 1"),
        ("tokenizer.json", {"format_version": 2}, "version 2"),
        ("tokenizer.json", {"model_type": "bpe"}, "model_type bpe"),
        ("tokenizer.json", {"byte_fallback": True}, "byte_fallback true"),
        ("tokenizer.json", {"charsmap": "AAAA"}, 'a whole "charsmap"'),
        ("tokenizer.json", {"charsmap": "A\u0000!"}, '"charsmap" in Base64'),
        ("tokenizer.json", {"pieces": [["a", 0.0, "user_defined"]]}, "type user_defined"),
        ("tokenizer.json", {"pieces": [["a", 0.0]]}, "id 0"),
        ("tokenizer.json", {"pieces": []}, "normal pieces and an unknown one"),
    ],
    ids=str,
)
def test_other_formats_and_models_are_refused(checked_program, directory, name, change, message):
    path = directory / name
    content = {**json.loads(path.read_text(encoding="utf-8")), **change}
    path.write_text(json.dumps(content))
    if name == "tokenizer.json":
        write_manifest_of(directory, len(content["pieces"]))
    assert_refused(checked_program, directory, message)


def test_damage_of_any_kind_ends_in_an_error_and_no_crash(checked_program, directory):
    """Bytes are changed all over the file, and the manifest vouches for it."""
    path = directory / "tokenizer.json"
    whole, pieces = path.read_bytes(), len(json.loads(path.read_bytes())["pieces"])
    draw = random.Random(6)
    codes = set()
    for _ in range(80):
        damaged = bytearray(whole)
        start = draw.choice([0, whole.index(b'"charsmap"'), whole.index(b'"pieces"')])
        for _ in range(draw.choice([1, 1, 3])):
            place = draw.randrange(start, min(start + 1_500, len(damaged)))
            damaged[place : place + draw.randrange(3)] = draw.choice(
                [b'"', b"]", b"{", b"\\", b"\\ud800", b"-", b"1e999", b"\0", b"\xff", b"null", b"A"]
            )
        path.write_bytes(damaged[: draw.choice([len(damaged)] * 3 + [draw.randrange(len(whole))])])
        write_manifest_of(directory, pieces)
        code, _, errors = run(checked_program, directory, "--tokenize", lines=[b"the \xff dog"])
        assert code in (0, 2) and errors.count("\n") == (code == 2), errors
        codes.add(code)
    assert codes == {0, 2}


@pytest.mark.parametrize("arguments", [[], ["--other"], ["here", "there"], ["here", "--check"]])
def test_a_wrong_call_says_how_it_is_called(program, arguments):
    code, output, errors = run(program, *arguments)
    assert (code, output) == (2, [])
    assert "translate DIRECTORY [--greedy]" in errors
