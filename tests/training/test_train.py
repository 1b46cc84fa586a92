import json
import re

import numpy as np
import pytest
from toy_corpus import toy_pairs
from training_runs import PLAIN_OPTIONS, final_state, progress_of, states

from keras_bahdanau.errors import InputError
from keras_bahdanau.training.array_file import read_arrays
from keras_bahdanau.training.data.splits import Splits
from keras_bahdanau.training.options import preset_options
from keras_bahdanau.training.train import train
from keras_bahdanau.translation.translator import Translator


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    pairs = toy_pairs(220)
    splits = Splits(pairs[:200], pairs[200:210], pairs[210:])
    directory = tmp_path_factory.mktemp("run") / "model"
    translator, metrics = train(
        splits, preset_options(**PLAIN_OPTIONS), directory, show_progress=False
    )
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
    again, metrics_again = train(
        splits, preset_options(**PLAIN_OPTIONS), directory, show_progress=False
    )
    assert progress_of(directory) == before
    assert metrics_again == metrics
    for first, second in zip(
        translator.model.get_weights(), again.model.get_weights(), strict=True
    ):
        np.testing.assert_array_equal(first, second)


def test_other_options_on_the_same_directory_are_refused(trained):
    splits, directory, _, _ = trained
    options = preset_options(**{**PLAIN_OPTIONS, "batch_size": 8})
    with pytest.raises(InputError, match="batch_size 16 instead of 8"):
        train(splits, options, directory)


def test_other_pairs_on_the_same_directory_are_refused(trained):
    splits, directory, _, _ = trained
    with pytest.raises(InputError, match="other training or validation pairs"):
        train(splits._replace(train=splits.train[:-1]), preset_options(**PLAIN_OPTIONS), directory)


def test_a_foreign_directory_is_left_alone(tmp_path):
    (tmp_path / "thesis.txt").write_text("mine")
    pairs = toy_pairs(20)
    with pytest.raises(InputError, match="holds something else"):
        train(Splits(pairs, pairs, []), preset_options(**PLAIN_OPTIONS), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def scripted_bleu(monkeypatch, scores):
    """Makes the validations of a run report these scores, one after the other."""
    remaining = iter(scores)
    monkeypatch.setattr(
        "keras_bahdanau.training.train.corpus_bleu",
        lambda hypotheses, references, tokenize: next(remaining),
    )


def test_early_stopping_and_the_best_weights(tmp_path, monkeypatch):
    pairs = toy_pairs(60)
    splits = Splits(pairs[:40], pairs[40:], [])
    scripted_bleu(monkeypatch, [1.0, 3.0, 2.0, 3.0])
    options = preset_options(**{**PLAIN_OPTIONS, "epochs": 9}, patience=2)
    stopped, metrics = train(splits, options, tmp_path / "stopped", show_progress=False)
    assert (metrics["best_epoch"], metrics["epochs"]) == (2, 4)
    assert metrics["validation_bleu"] == 3.0

    # The weights kept are those of the second epoch, not of the last: the source embedding is the
    # first variable of both.
    latest = final_state(tmp_path / "stopped")["variable_0000"]
    kept = stopped.model.get_weights()[0]
    assert latest.shape == kept.shape
    assert not np.array_equal(latest, kept)


def test_validations_within_epochs_change_nothing_but_the_choice_of_weights(trained, tmp_path):
    splits, directory, _, _ = trained
    options = preset_options(**PLAIN_OPTIONS, validations_per_epoch=3)
    train(splits, options, tmp_path / "often", show_progress=False)
    expected, received = final_state(directory), final_state(tmp_path / "often")
    assert expected.keys() == received.keys()
    for name, values in expected.items():
        np.testing.assert_array_equal(values, received[name], err_msg=name)
    history = progress_of(tmp_path / "often").history
    # 13 batches an epoch.
    assert [entry["epoch"] for entry in history] == [
        round(epoch + done / 13, 3)
        for epoch in range(PLAIN_OPTIONS["epochs"])
        for done in (5, 9, 13)
    ]
    whole = progress_of(directory).history
    for one, other in zip(history[2::3], whole, strict=True):
        assert one["epoch"] == other["epoch"]
        assert one["validation_bleu"] == other["validation_bleu"]
        assert one["training_loss"] == pytest.approx(other["training_loss"], abs=2e-4)


def test_the_best_weights_may_come_within_an_epoch_and_outlive_an_interruption(
    trained, tmp_path, monkeypatch
):
    splits, _, _, _ = trained
    options = preset_options(**PLAIN_OPTIONS, validations_per_epoch=2)

    def interrupted_bleu(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("keras_bahdanau.training.train.corpus_bleu", interrupted_bleu)
    with pytest.raises(KeyboardInterrupt):
        train(splits, options, tmp_path / "run", show_progress=False)
    waiting = progress_of(tmp_path / "run")
    assert (waiting.epoch, waiting.batch, waiting.awaits_validation) == (0, 7, True)

    scripted_bleu(monkeypatch, [1.0, 2.0, 9.0, 3.0, 4.0, 5.0])
    monkeypatch.setattr(
        "keras_bahdanau.training.train.choose_length_penalty", lambda *_: (1.0, 9.0)
    )
    _, metrics = train(splits, options, tmp_path / "run", show_progress=False)
    assert metrics["best_epoch"] == round(1 + 7 / 13, 3)
    kept = {path.name for path in (tmp_path / "run" / "checkpoints").glob("best-*")}
    assert kept == {"best-00000020.npz"}


def test_an_infinite_loss_stops_the_run_and_tells_the_lines(tmp_path):
    # The blank pair counts as a line, and is in no batch.
    pairs = [("sun", " "), *toy_pairs(60)]
    changes = {"learning_rate": 1e38, "clip_norm": 0.0, "warmup_steps": 0, "checkpoint_every": 1}
    options = preset_options(**{**PLAIN_OPTIONS, **changes, "batch_size": 12})
    with pytest.raises(FloatingPointError) as raised:
        train(Splits(pairs[:13], pairs[13:], []), options, tmp_path / "run", show_progress=False)
    assert re.match(
        r"The loss became (nan|inf) at step \d+ \(epoch \d+, batch 1\), with 12 training pairs of "
        r"lines 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 and 2 more\. .*; try a lower learning rate",
        str(raised.value),
    )
    assert not (tmp_path / "run" / "model.keras").exists()
    for path in states(tmp_path / "run"):
        assert all(np.isfinite(array).all() for _, array in read_arrays(path))
