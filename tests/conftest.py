"""Fixtures that several files of tests share: what takes long to make is made once."""

import io
import os
import subprocess
import sys
from typing import NamedTuple

import hypothesis
import pytest

from keras_bahdanau.command_line import main

# As the command does it: TensorFlow's own log lines stay away from what tests look at.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

# No test depends on how fast the machine is.
hypothesis.settings.register_profile("any-machine", deadline=None)
hypothesis.settings.load_profile("any-machine")


class Outcome(NamedTuple):
    """What a command did: its exit code, the lines of its output and of its standard error."""

    code: int
    output: list[str]
    errors: list[str]


@pytest.fixture(scope="session")
def untrained():
    """A translator with random weights and a limit of 24 pieces."""
    from small_translator import small_translator

    return small_translator()


@pytest.fixture(scope="session")
def untrained_directory(untrained, tmp_path_factory):
    """The model directory of `untrained`. Tests that change it copy it first."""
    directory = tmp_path_factory.mktemp("models") / "untrained"
    untrained.save(directory)
    return directory


@pytest.fixture(scope="session")
def untrained_litert(untrained, tmp_path_factory):
    """The LiteRT directory of `untrained`. Tests that change it copy it first."""
    from keras_bahdanau.export.litert import export_litert

    return export_litert(untrained, tmp_path_factory.mktemp("exported") / "litert")


@pytest.fixture(scope="session")
def untrained_saved_model(untrained, tmp_path_factory):
    """The version directory of `untrained`, with two translations of each text."""
    from keras_bahdanau.export import export_saved_model

    return export_saved_model(untrained, tmp_path_factory.mktemp("exported") / "model", n_best=2)


class TrainedRun(NamedTuple):
    """A run of `keras-bahdanau train` in a process of its own."""

    process: subprocess.CompletedProcess
    directory: object
    arguments: list[str]


@pytest.fixture(scope="session")
def trained_run(tmp_path_factory):
    """A run that learns a toy language well enough to translate it."""
    from toy_corpus import word_by_word_pairs, write_tsv

    folder = tmp_path_factory.mktemp("trained")
    pairs = word_by_word_pairs(340)
    options = {
        "train": write_tsv(folder / "train.tsv", pairs[:300]),
        "validation": write_tsv(folder / "validation.tsv", pairs[300:320]),
        "test": write_tsv(folder / "test.tsv", pairs[320:]),
        "output": folder / "model",
        "export": "none",
        "vocabulary-size": 60,
        **dict.fromkeys(("embedding-dim", "encoder-units", "decoder-units", "attention-units"), 96),
        "dropout": 0,
        "label-smoothing": 0,
        "batch-size": 8,
        "epochs": 6,
        "learning-rate": 0.004,
        "warmup-steps": 20,
    }
    arguments = ["train", "--no-progress", *(f"--{name}={options[name]}" for name in options)]
    process = subprocess.run(
        [sys.executable, "-m", "keras_bahdanau", *arguments], capture_output=True, text=True
    )
    return TrainedRun(process, folder / "model", arguments)


@pytest.fixture
def command(capfdbinary, monkeypatch):
    """Function `(*arguments, stdin=b"") -> Outcome` that runs the command in this process."""

    def run(*arguments, stdin=b""):
        capfdbinary.readouterr()
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        try:
            code = main([str(argument) for argument in arguments])
        except SystemExit as end:
            code = end.code
        output, errors = capfdbinary.readouterr()
        # Split at "\n" alone, as the shell's tools do.
        *lines, rest = output.decode().split("\n")
        assert rest == ""
        return Outcome(code, lines, errors.decode().splitlines())

    return run


@pytest.fixture
def loaded(monkeypatch, untrained):
    """The command finds `untrained` at every path, so that it need not be loaded again."""
    from keras_bahdanau import loading

    monkeypatch.setattr(loading, "open_translator", lambda *arguments, **options: untrained)
    return untrained
