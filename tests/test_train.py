import json
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from toy_corpus import toy_pairs, write_tsv

from keras_bahdanau.errors import InputError
from keras_bahdanau.training.options import preset_options
from keras_bahdanau.training.splits import Splits
from keras_bahdanau.training.train import train
from keras_bahdanau.translator import Translator

OPTIONS = {
    "vocabulary_size": 60,
    "embedding_dim": 16,
    "encoder_units": 16,
    "decoder_units": 16,
    "attention_units": 16,
    "dropout": 0.1,
    "batch_size": 16,
    "epochs": 3,
    "warmup_steps": 5,
    "checkpoint_every": 3,
}


def run_train(directory, files, **popen):
    """Starts `keras-bahdanau train` in a process of its own."""
    options = [f"--{name.replace('_', '-')}={value}" for name, value in OPTIONS.items()]
    command = [sys.executable, "-m", "keras_bahdanau", "train", "--export=none", *options]
    return subprocess.Popen(
        [*command, f"--train={files[0]}", f"--validation={files[1]}", f"--output={directory}"],
        stderr=subprocess.PIPE,
        **popen,
    )


def final_state(directory):
    with np.load(directory / "checkpoints" / "state.npz", allow_pickle=False) as arrays:
        return {name: arrays[name] for name in arrays.files if name != "progress"}


def progress_of(directory):
    with np.load(directory / "checkpoints" / "state.npz", allow_pickle=False) as arrays:
        return json.loads(arrays["progress"].tobytes())


def test_a_run_killed_in_the_middle_of_an_epoch_ends_with_the_same_weights(tmp_path):
    pairs = toy_pairs(660)
    files = write_tsv(tmp_path / "t.tsv", pairs[:640]), write_tsv(tmp_path / "v.tsv", pairs[640:])
    whole, killed = tmp_path / "whole", tmp_path / "killed"

    process = run_train(killed, files)
    while not (killed / "checkpoints" / "state.npz").is_file() and process.poll() is None:
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    assert not (killed / "model.keras").exists()
    assert progress_of(killed)["batch"] > 0

    for directory in (killed, whole):
        process = run_train(directory, files)
        _, errors = process.communicate()
        assert process.returncode == 0, errors.decode()

    expected, received = final_state(whole), final_state(killed)
    assert expected.keys() == received.keys()
    for name, values in expected.items():
        np.testing.assert_array_equal(values, received[name], err_msg=name)
    models = [Translator.load(directory).model.get_weights() for directory in (whole, killed)]
    for first, second in zip(*models, strict=True):
        np.testing.assert_array_equal(first, second)
    assert progress_of(whole)["best_bleu"] == progress_of(killed)["best_bleu"]


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    pairs = toy_pairs(220)
    splits = Splits(pairs[:200], pairs[200:210], pairs[210:])
    directory = tmp_path_factory.mktemp("run") / "model"
    translator, metrics = train(splits, preset_options(**OPTIONS), directory, show_progress=False)
    return splits, directory, translator, metrics


def test_a_run_leaves_the_documented_files(trained):
    _, directory, _, metrics = trained
    names = {path.name for path in directory.iterdir()}
    expected = {"model.keras", "tokenizer.model", "config.json", "metrics.json"}
    assert names == expected | {"checkpoints", "logs"}
    assert json.loads((directory / "metrics.json").read_text()) == metrics
    assert {"validation_bleu", "test_bleu", "epochs", "seconds"} <= metrics.keys()
    assert all(isinstance(value, int | float | str) for value in metrics.values())
    assert any((directory / "logs").iterdir())


def test_the_saved_translator_is_the_trained_one(trained):
    splits, directory, translator, _ = trained
    sources = [source for source, _ in splits.test]
    assert Translator.load(directory).translate(sources) == translator.translate(sources)


def test_a_finished_run_is_not_trained_again(trained):
    splits, directory, translator, metrics = trained
    before = progress_of(directory)
    again, metrics_again = train(splits, preset_options(**OPTIONS), directory, show_progress=False)
    assert progress_of(directory) == before
    assert metrics_again == metrics
    for first, second in zip(
        translator.model.get_weights(), again.model.get_weights(), strict=True
    ):
        np.testing.assert_array_equal(first, second)


def test_other_options_on_the_same_directory_are_refused(trained):
    splits, directory, _, _ = trained
    options = preset_options(**{**OPTIONS, "batch_size": 8})
    with pytest.raises(InputError, match="batch_size 16 instead of 8"):
        train(splits, options, directory)


def test_other_pairs_on_the_same_directory_are_refused(trained):
    splits, directory, _, _ = trained
    with pytest.raises(InputError, match="other training or validation pairs"):
        train(splits._replace(train=splits.train[:-1]), preset_options(**OPTIONS), directory)


def test_a_foreign_directory_is_left_alone(tmp_path):
    (tmp_path / "thesis.txt").write_text("mine")
    pairs = toy_pairs(20)
    with pytest.raises(InputError, match="holds something else"):
        train(Splits(pairs, pairs, []), preset_options(**OPTIONS), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_long_pairs_are_counted_and_the_call_can_be_corrected(tmp_path):
    pairs = toy_pairs(60)
    long_pair = (" ".join(["sun"] * 40), "nus")
    splits = Splits([*pairs[:49], long_pair], pairs[50:], [])
    options = {**OPTIONS, "max_length": 30, "epochs": 1}
    with pytest.raises(InputError, match="1 pairs with more, .* line 50"):
        train(splits, preset_options(**options), tmp_path / "run", show_progress=False)
    corrected = preset_options(**options, long_pairs="drop")
    _, metrics = train(splits, corrected, tmp_path / "run", show_progress=False)
    assert metrics["epochs"] == 1


def scripted_bleu(monkeypatch, scores):
    """Makes the validations of a run report these scores, one after the other."""
    remaining = iter(scores)
    monkeypatch.setattr(
        "keras_bahdanau.training.train.corpus_bleu", lambda hypotheses, references: next(remaining)
    )


def test_early_stopping_and_the_best_weights(tmp_path, monkeypatch):
    pairs = toy_pairs(60)
    splits = Splits(pairs[:40], pairs[40:], [])
    scripted_bleu(monkeypatch, [1.0, 3.0, 2.0, 3.0])
    options = preset_options(**{**OPTIONS, "epochs": 9}, patience=2)
    stopped, metrics = train(splits, options, tmp_path / "stopped", show_progress=False)
    assert (metrics["best_epoch"], metrics["epochs"]) == (2, 4)
    assert metrics["validation_bleu"] == 3.0

    # The weights kept are those of the second epoch, not of the last: the source embedding is the
    # first variable of both.
    latest = final_state(tmp_path / "stopped")["variable_0000"]
    kept = stopped.model.get_weights()[0]
    assert latest.shape == kept.shape
    assert not np.array_equal(latest, kept)


def test_while_bleu_is_zero_the_newer_weights_win(tmp_path, monkeypatch):
    pairs = toy_pairs(60)
    scripted_bleu(monkeypatch, [0.0, 0.0, 0.0])
    options = preset_options(**OPTIONS, patience=1)
    _, metrics = train(
        Splits(pairs[:40], pairs[40:], []), options, tmp_path / "run", show_progress=False
    )
    assert (metrics["best_epoch"], metrics["epochs"]) == (3, 3)


def test_an_infinite_loss_stops_the_run_and_keeps_the_checkpoint(tmp_path):
    pairs = toy_pairs(60)
    options = preset_options(
        **{**OPTIONS, "learning_rate": 1e38, "clip_norm": 0.0, "warmup_steps": 0}
    )
    with pytest.raises(FloatingPointError, match="loss became .* at batch .* of epoch"):
        train(Splits(pairs[:50], pairs[50:], []), options, tmp_path / "run", show_progress=False)
    assert not (tmp_path / "run" / "model.keras").exists()
