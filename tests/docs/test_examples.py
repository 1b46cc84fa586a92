"""The programs in examples/, each run on small data in a process of its own."""

import ast
import io
import os
import runpy
import subprocess
import sys
import tokenize

import keras
import pytest
from checkout import EXAMPLES
from matplotlib import image

WITH_OPTIONS = ("attention_pooling", "captioner", "tacotron_decoder")
NO_CODE = {
    tokenize.COMMENT,
    tokenize.NL,
    tokenize.NEWLINE,
    tokenize.INDENT,
    tokenize.DEDENT,
    tokenize.ENDMARKER,
}

trains = pytest.mark.skipif(
    keras.backend.backend() == "torch",
    reason="Keras on PyTorch calls every step of a recurrent layer from Python: many minutes",
)


def run(name, *arguments):
    """Runs an example, and returns the lines of its standard output."""
    process = subprocess.run(
        [sys.executable, EXAMPLES / f"{name}.py", *map(str, arguments)],
        capture_output=True,
        text=True,
        env={**os.environ, "KERAS_BACKEND": keras.backend.backend()},
    )
    assert process.returncode == 0, process.stderr
    return process.stdout.splitlines()


def run_small(name, picture, **options):
    """Runs an example with options, and returns its numbers by name. It must draw a picture."""
    arguments = [f"--{option}={value}" for option, value in options.items()]
    lines = run(name, "--quiet", f"--output={picture}", *arguments)
    assert lines.pop() == f"picture: {picture}"
    assert picture.parent.exists() and list(picture.parent.iterdir()) == [picture]
    drawn = image.imread(picture)
    assert min(drawn.shape[:2]) > 400 and drawn[..., :3].std() > 0.05
    results = dict(line.split(": ") for line in lines)
    return {key: float(value) for key, value in results.items() if key != "caption"}


def code_lines(path):
    """Number of lines of a module that are not blank, a comment or the module's docstring."""
    source = path.read_text(encoding="utf-8")
    docstring_end = ast.parse(source).body[0].end_lineno
    lines = set()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type not in NO_CODE and token.start[0] > docstring_end:
            lines.update(range(token.start[0], token.end[0] + 1))
    return len(lines)


@trains
@pytest.mark.exhaustive
def test_attention_pooling_finds_the_event(tmp_path):
    results = run_small(
        "attention_pooling", tmp_path / "pictures" / "a.png", examples=1500, epochs=5
    )
    assert results["accuracy"] > 0.95
    # An event covers about a sixth of a series.
    assert results["weight on the event"] > 0.8


@trains
@pytest.mark.exhaustive
def test_the_captioner_describes_new_images_and_looks_at_what_it_names(tmp_path):
    results = run_small("captioner", tmp_path / "pictures" / "a.png", examples=1500, epochs=9)
    # There are 162 captions, and 25 places to look at.
    assert results["right captions"] > 0.85
    assert results["weight on the named shape"] > 0.6


@trains
@pytest.mark.exhaustive
def test_the_tacotron_decoder_speaks_new_texts_from_left_to_right(tmp_path):
    results = run_small("tacotron_decoder", tmp_path / "pictures" / "a.png", examples=900, epochs=8)
    assert results["frame error"] < 0.5 * results["frame error of the mean"]
    assert results["monotone steps"] > 0.98
    assert results["symbols read"] > 0.95
    assert results["length error"] < 2


@trains
@pytest.mark.slow
def test_the_seq2seq_writes_dates():
    *_, last = run("seq2seq")
    name, number = last.split(": ")
    assert name == "right"
    assert float(number) > 0.9


def test_the_seq2seq_has_40_lines():
    assert code_lines(EXAMPLES / "seq2seq.py") <= 40


@pytest.mark.parametrize("name", WITH_OPTIONS)
def test_the_help_teaches(name, capsys):
    main = runpy.run_path(EXAMPLES / f"{name}.py")["main"]
    with pytest.raises(SystemExit) as end:
        main(["--help"])
    assert end.value.code == 0
    text = capsys.readouterr().out
    for part in ("--epochs", "--examples", "--output", "--seed", "--quiet", "Prints", "2026-11-22"):
        assert part in text


def test_no_example_is_long_or_knows_a_backend():
    paths = sorted(EXAMPLES.glob("*.py"))
    assert {path.stem for path in paths} == {*WITH_OPTIONS, "seq2seq", "text_to_text"}
    for path in paths:
        source = path.read_text(encoding="utf-8")
        assert len(source.splitlines()) <= 220, path
        names = {name.id for name in ast.walk(ast.parse(source)) if isinstance(name, ast.Name)}
        assert not names & {"tensorflow", "tf", "jax", "torch"}, path
