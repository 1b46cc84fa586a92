"""`keras-bahdanau evaluate` and `keras-bahdanau score`."""

import gzip
import json

import pytest
import sacrebleu

from keras_bahdanau import loading

SOURCES = ["the dog runs", "", "el gato", "the red dog. " * 20]
REFERENCES = ["el perro corre", "", "the cat", "el perro rojo. " * 20]


@pytest.fixture(autouse=True)
def loaded(monkeypatch, untrained):
    """The command finds `untrained` at every path, so that it need not be loaded again."""
    monkeypatch.setattr(loading, "open_translator", lambda *arguments, **options: untrained)
    return untrained


@pytest.fixture
def files(tmp_path):
    """Function `(*lines) -> path` that writes a text file."""

    def write(*lines, name="text", end="\n"):
        path = tmp_path / f"{name}{len(list(tmp_path.iterdir()))}"
        path.write_bytes("".join(line + end for line in lines).encode())
        return path

    return write


def test_evaluate_prints_one_json_object(command, files, loaded, tmp_path):
    translations = tmp_path / "translations"
    outcome = command(
        *("evaluate", "m", "--source", files(*SOURCES), "--reference", files(*REFERENCES)),
        *("--beam-width", "2", "--translations", translations),
    )
    assert outcome.code == 0
    (line,) = outcome.output
    scores = json.loads(line)
    assert scores.keys() == {
        *("bleu", "chrf", "signature", "chrf_signature", "sentences", "split_sentences"),
        *("beam_width", "seconds", "sentences_per_second"),
    }
    expected = loaded.translate(SOURCES, beam_width=2)
    assert translations.read_text().split("\n") == [*expected, ""]
    assert scores["bleu"] == round(sacrebleu.corpus_bleu(expected, [REFERENCES]).score, 2)
    assert scores["sentences"] == 4
    assert scores["beam_width"] == 2
    # The pair beyond the limit is translated whole, and counted.
    assert scores["split_sentences"] == 1
    assert outcome.errors == [
        "note: lines longer than the model's limit of 24 pieces, translated in parts: 1 of 4"
    ]


def test_score_prints_one_number_for_each_line(command, files, loaded):
    outcome = command("score", "m", "--source", files(*SOURCES), "--target", files(*REFERENCES))
    assert (outcome.code, outcome.errors) == (0, [])
    expected = loaded.score(SOURCES, REFERENCES)
    assert [float(line) for line in outcome.output] == pytest.approx(expected, abs=1e-5)


def test_line_ends_and_gzip_change_nothing(command, files, tmp_path):
    plain = command("score", "m", "--source", files(*SOURCES), "--target", files(*REFERENCES))
    packed = tmp_path / "target.gz"
    packed.write_bytes(gzip.compress("\n".join(REFERENCES).encode() + b"\n"))
    windows = files(*SOURCES, end="\r\n")
    assert command("score", "m", "--source", windows, "--target", packed) == plain


CALLS = {
    "evaluate": ("evaluate", "m", "--source", "{0}", "--reference", "{1}"),
    "score": ("score", "m", "--source", "{0}", "--target", "{1}"),
    "train": (
        *("train", "--output", "{2}", "--source-train", "{0}", "--target-train", "{1}"),
        *("--validation", "{3}"),
    ),
}


@pytest.fixture(params=CALLS)
def fails(request, command, tmp_path):
    """Function `(source, target, *messages)`: refused with one line that holds the messages."""

    def check(source, target, *messages):
        output = tmp_path / "output"
        validation = tmp_path / "validation.tsv"
        validation.write_text("a\tb\n", encoding="utf-8")
        paths = source, target, output, validation
        arguments = [text.format(*paths) for text in CALLS[request.param]]
        outcome = command(*arguments)
        assert (outcome.code, outcome.output) == (2, [])
        (line,) = outcome.errors
        assert line.startswith("error: ")
        for message in messages:
            assert str(message) in line
        assert not output.exists()

    return check


def test_a_missing_file(fails, files, tmp_path):
    fails(files("a"), tmp_path / "nosuch", "There is no such file", tmp_path / "nosuch")
    fails(tmp_path / "nosuch", files("a"), "There is no such file", tmp_path / "nosuch")


def test_a_directory_for_a_file(fails, files, tmp_path):
    fails(files("a"), tmp_path, "Received a directory", tmp_path)


def test_different_numbers_of_lines(fails, files):
    source, target = files("a", "b", "c"), files("a", "b")
    fails(source, target, f"3 lines in {source}, 2 lines in {target}")


def test_an_empty_file(fails, files):
    empty = files()
    fails(empty, files("a"), f"It is empty: {empty}")


def test_bytes_that_are_not_utf_8(fails, files):
    latin = files("a", "b")
    latin.write_bytes(b"good\nb\xe4d\n")
    fails(files("a", "b"), latin, f"byte 0xe4 in {latin}, line 2")


def test_a_broken_gzip_file(fails, files, tmp_path):
    broken = tmp_path / "broken.gz"
    broken.write_bytes(gzip.compress(b"text\n" * 99)[:20])
    fails(broken, files("a"), f"{broken} is broken")


def test_translations_cannot_replace_a_directory(command, files, tmp_path):
    text = files("a")
    outcome = command(
        "evaluate", "m", "--source", text, "--reference", text, "--translations", tmp_path
    )
    assert outcome.code == 2
    assert outcome.errors == [
        f"error: Expected a file for --translations. Received: {tmp_path}, a directory"
    ]
