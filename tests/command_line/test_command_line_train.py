import json
import re
import subprocess
import sys

import pytest
from toy_corpus import word_by_word_pairs, write_tsv

SMALL = {
    **dict.fromkeys(
        ("--embedding-dim", "--encoder-units", "--decoder-units", "--attention-units"), 8
    ),
    "--vocabulary-size": 60,
    "--epochs": 1,
    "--export": "none",
}


@pytest.fixture
def train(command, tmp_path):
    """Function `(*flags, pairs, **options) -> Outcome` that trains in this process."""

    def run(*flags, pairs=None, output=tmp_path / "model", **options):
        pairs = pairs or word_by_word_pairs(20)
        options = {f"--{name.replace('_', '-')}": value for name, value in options.items()}
        arguments = [f"{name}={value}" for name, value in {**SMALL, **options}.items()]
        return command(
            *("train", "--no-progress", *flags, *arguments, f"--output={output}"),
            f"--train={write_tsv(tmp_path / 'train.tsv', pairs)}",
            f"--validation={write_tsv(tmp_path / 'validation.tsv', pairs[:2])}",
        )

    return run


@pytest.mark.slow
def test_a_run_tells_its_story_and_nothing_else(trained_run):
    process, directory, _ = trained_run
    assert process.returncode == 0, process.stderr
    assert process.stdout == ""
    header, *table, first = process.stderr.splitlines()[:16]
    assert header.split() == ["training", "pairs", "pairs", "share", "first", "lines"]
    assert all(re.fullmatch(r"\S.*  +[\d,]+ +\d+\.\d\d%.*", line) for line in table)
    assert table[-1].split() == ["trained", "on", "300", "100.00%"]
    *epochs, penalty, test, following = process.stderr.splitlines()[16:]
    assert re.fullmatch(r"[\d,]+ weights, 300 pairs", first)
    pattern = (
        r"epoch \d: training loss \d+\.\d+, validation BLEU \d+\.\d\d( \(best\))?, .* tokens/s"
    )
    assert len(epochs) == 6
    assert all(re.fullmatch(pattern, line) for line in epochs)
    assert penalty.startswith("length penalty ")
    assert test.startswith("test BLEU ")
    assert following == f'next: keras-bahdanau translate {directory} "Your own sentence."'


@pytest.mark.slow
def test_a_finished_run_is_not_trained_again(trained_run):
    directory = trained_run.directory
    states = {path: path.read_bytes() for path in (directory / "checkpoints").glob("*.npz")}
    metrics = json.loads((directory / "metrics.json").read_text())
    process = subprocess.run(
        [sys.executable, "-m", "keras_bahdanau", *trained_run.arguments],
        capture_output=True,
        text=True,
    )
    assert process.returncode == 0
    assert process.stderr.splitlines()[0] == "already finished after 6 epochs: not trained again"
    assert "epoch 1" not in process.stderr
    assert states
    for path, content in states.items():
        assert path.read_bytes() == content
    assert json.loads((directory / "metrics.json").read_text()) == metrics


@pytest.mark.slow
def test_other_options_on_the_same_directory(trained_run, command):
    arguments = [each for each in trained_run.arguments if "batch-size" not in each]
    outcome = command(*arguments, "--batch-size=4", "--no-progress")
    assert outcome.code == 2
    (line,) = outcome.errors
    assert "it was started with batch_size 8 instead of 4" in line
    assert str(trained_run.directory) in line


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"dropout": 2}, "dropout in [0, 1). Received: 2.0"),
        ({"dropout": "nan"}, "dropout in [0, 1). Received: nan"),
        ({"label_smoothing": -0.1}, "label_smoothing in [0, 1)"),
        ({"learning_rate": "nan"}, "learning_rate of at least 0. Received: nan"),
        ({"learning_rate": "inf"}, "learning_rate of at least 0. Received: inf"),
        ({"epochs": 0}, "epochs of at least 1. Received: 0"),
        ({"seed": -1}, "seed in [0, 4294967296). Received: -1"),
        ({"seed": 1 << 32}, "seed in [0, 4294967296). Received: 4294967296"),
    ],
)
def test_values_out_of_range(train, tmp_path, options, message):
    outcome = train(**options)
    assert outcome.code == 2
    (line,) = outcome.errors
    assert message in line
    assert not (tmp_path / "model").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "Received: no --source-train and --target-train"),
        (("--source-train=a",), "Received: no --target-train"),
        (("--train=a", "--source-train=b"), "--train or --source-train. Received: both"),
        (("--corpus=built-in", "--train=a"), "Expected --corpus or files. Received: both"),
    ],
)
def test_a_call_without_text(command, tmp_path, arguments, message):
    outcome = command("train", f"--output={tmp_path / 'model'}", *arguments)
    assert outcome.code == 2
    (line,) = outcome.errors
    assert message in line
    assert not (tmp_path / "model").exists()


def test_a_line_without_a_tab(command, tmp_path):
    (tmp_path / "a.tsv").write_text("one\tuno\ntwo dos\n")
    arguments = f"--train={tmp_path / 'a.tsv'}", f"--validation={tmp_path / 'a.tsv'}"
    outcome = command("train", f"--output={tmp_path / 'model'}", *arguments)
    assert outcome.code == 2
    assert f"1 in {tmp_path / 'a.tsv'}, line 2" in outcome.errors[0]


def test_a_failed_start_does_not_stand_in_the_way_of_the_next(train):
    pairs = [*word_by_word_pairs(20), (" ".join(["sun"] * 50), "nus"), ("star", " ")]
    outcome = train(pairs=pairs, max_length=30)
    assert outcome.code == 2
    (line,) = outcome.errors
    assert "at most 30 tokens a sentence" in line
    assert "1 pairs with more" in line
    assert "line 21" in line
    outcome = train(pairs=pairs, vocabulary_size=5)
    assert outcome.code == 2
    assert len(outcome.errors) == 1
    outcome = train(pairs=pairs, max_length=30, long_pairs="drop")
    assert outcome.code == 0
    rows = {line[:40].strip(): line[40:].split() for line in outcome.errors}
    assert rows["a side is blank"] == ["1", "4.55%", "left", "out", "22"]
    assert rows["a side over 30 pieces"] == ["1", "4.55%", "left", "out", "21"]
    assert rows["trained on"] == ["20", "90.91%"]


def test_cleaning_and_batches_by_tokens(train, tmp_path):
    pairs = [*word_by_word_pairs(20), ("sun", "sun")]
    outcome = train("--clean", pairs=pairs, tokens_per_batch=40)
    assert outcome.code == 0
    report = json.loads((tmp_path / "model" / "checkpoints" / "corpus_report.json").read_text())
    left_out = {
        name: row["first_lines"] for name, row in report["findings"].items() if row["pairs"]
    }
    assert left_out == {
        "copy": [21],
        "source_in_validation": [1, 2],
        "pair_in_validation": [1, 2],
    }
    assert report["pairs_kept"] == 18


def test_a_directory_of_something_else_is_left_alone(train, tmp_path):
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter.txt").write_text("mine")
    outcome = train(output=tmp_path / "thesis")
    assert outcome.code == 2
    assert outcome.errors[0].endswith("which is not empty: it has chapter.txt")
    assert [path.name for path in (tmp_path / "thesis").iterdir()] == ["chapter.txt"]


def test_a_file_for_a_directory(train, tmp_path):
    (tmp_path / "file").write_text("")
    outcome = train(output=tmp_path / "file")
    assert outcome.code == 2
    assert outcome.errors[0].endswith("file, a file")


def test_what_a_kill_left_of_the_tokenizer_is_no_hindrance(train, tmp_path):
    (tmp_path / "model" / ".tokenizer.model.x1y2").mkdir(parents=True)
    (tmp_path / "model" / "checkpoints").mkdir()
    # Refused for its pairs, not for the directory.
    outcome = train(pairs=[(" ", " ")] * 3)
    assert "at least one pair with text on both sides" in outcome.errors[0]
