import json
import re

import keras
import numpy as np
import pytest
from toy_corpus import random_pieces, toy_pairs
from training_runs import PLAIN_OPTIONS, final_state, progress_of, states

from keras_bahdanau.errors import InputError
from keras_bahdanau.models import TranslationModel
from keras_bahdanau.training.array_file import read_arrays
from keras_bahdanau.training.callbacks import StopRequest
from keras_bahdanau.training.checkpoints import Checkpoints, Progress
from keras_bahdanau.training.compilation import compile_for_training
from keras_bahdanau.training.data.batch_plan import BatchPlan
from keras_bahdanau.training.data.batches import Batches
from keras_bahdanau.training.data.corpus_writer import build_corpus
from keras_bahdanau.training.data.splits import Splits
from keras_bahdanau.training.distribution import Distribution
from keras_bahdanau.training.presets import preset_options
from keras_bahdanau.training.training_run import train, train_epoch, validate_epoch
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
    with pytest.raises(InputError, match="not empty: it has thesis.txt"):
        train(Splits(pairs, pairs, []), preset_options(**PLAIN_OPTIONS), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def scripted_bleu(monkeypatch, scores):
    """Makes the validations of a run report these scores, one after the other."""
    remaining = iter(scores)
    monkeypatch.setattr(
        "keras_bahdanau.training.training_run.corpus_bleu",
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


@pytest.mark.slow
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


@pytest.mark.slow
def test_the_best_weights_may_come_within_an_epoch_and_outlive_an_interruption(
    trained, tmp_path, monkeypatch
):
    splits, _, _, _ = trained
    options = preset_options(**PLAIN_OPTIONS, validations_per_epoch=2)

    def interrupted_bleu(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("keras_bahdanau.training.training_run.corpus_bleu", interrupted_bleu)
    with pytest.raises(KeyboardInterrupt):
        train(splits, options, tmp_path / "run", show_progress=False)
    waiting = progress_of(tmp_path / "run")
    assert (waiting.epoch, waiting.batch, waiting.awaits_validation) == (0, 7, True)

    scripted_bleu(monkeypatch, [1.0, 2.0, 9.0, 3.0, 4.0, 5.0])
    monkeypatch.setattr(
        "keras_bahdanau.training.training_run.choose_length_penalty", lambda *_: (1.0, 9.0)
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


WIDTHS = ("embedding_dim", "encoder_units", "decoder_units", "attention_units")
EPOCH_OPTIONS = preset_options(
    "tiny", **dict.fromkeys(WIDTHS, 6), learning_rate=0.05, warmup_steps=0, checkpoint_every=1
)


class StopsAfter(Checkpoints):
    """Checkpoints of a run that is interrupted when so many batches are saved."""

    def __init__(self, directory, batches):
        super().__init__(directory, print)
        self.batches = batches

    def save(self, model, progress):
        super().save(model, progress)
        if progress.batch == self.batches:
            raise KeyboardInterrupt


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    pairs = random_pieces(42)
    directory = tmp_path_factory.mktemp("corpus") / "corpus"
    return build_corpus(directory, pairs, end_id=3, max_length=64, vocabulary_size=20)


@pytest.fixture(scope="module")
def train_an_epoch(corpus):
    """Function of checkpoints that trains the first epoch, or what is left of it: the progress."""
    keras.utils.set_random_seed(0)
    translation_model = TranslationModel(20, **EPOCH_OPTIONS.model_arguments())
    # Batches of 16, 16 and 10 pairs, in some order.
    plan = BatchPlan(corpus.source_lengths, corpus.target_lengths, batch_size=16)
    model = compile_for_training(translation_model, EPOCH_OPTIONS, len(plan.batches(0)))
    variables = [*model.variables, *model.optimizer.variables]
    beginning = [keras.ops.convert_to_numpy(variable) for variable in variables]

    def train_an_epoch(checkpoints):
        # One model for all runs, because its graph takes longer than they do.
        for variable, value in zip(variables, beginning, strict=True):
            variable.assign(value)
        progress = checkpoints.load(model) or Progress()
        batches = Batches(corpus, plan, start=progress.batch)
        train_epoch(
            model, batches, EPOCH_OPTIONS, progress, checkpoints, StopRequest(), show_progress=False
        )
        return progress

    return train_an_epoch


def test_the_loss_of_an_interrupted_epoch_is_that_of_a_whole_one(train_an_epoch, tmp_path):
    whole = train_an_epoch(Checkpoints(tmp_path / "whole", print))
    assert (whole.epoch, whole.batch, whole.awaits_validation) == (1, 0, True)
    for batches in (1, 2):
        with pytest.raises(KeyboardInterrupt):
            train_an_epoch(StopsAfter(tmp_path / "stopped", batches))
    resumed = train_an_epoch(Checkpoints(tmp_path / "stopped", print))
    assert resumed.training_loss == pytest.approx(whole.training_loss, rel=1e-5)
    assert resumed.epoch == 1


def test_the_best_weights_are_the_latest_while_bleu_is_zero(untrained, tmp_path, monkeypatch):
    splits = Splits([], [("two dogs", "zwei Hunde")], [])
    checkpoints, progress = Checkpoints(tmp_path, print), Progress()
    best_epochs, best_steps = [], []
    for bleu in (0.0, 0.0, 0.5, 0.0, 0.5, 0.75):
        monkeypatch.setattr(
            "keras_bahdanau.training.training_run.corpus_bleu",
            lambda hypotheses, references, tokenize, bleu=bleu: bleu,
        )
        progress.epoch, progress.awaits_validation = progress.epoch + 1, True
        progress.history.append({"epoch": progress.epoch})
        step = 10 * progress.epoch
        validate_epoch(
            untrained, step, splits, EPOCH_OPTIONS, progress, checkpoints, Distribution()
        )
        assert not progress.awaits_validation
        assert progress.history[-1]["validation_bleu"] == bleu
        best_epochs.append(progress.best_epoch)
        best_steps.append(progress.best_step)
    assert best_epochs == [1, 2, 3, 3, 3, 6]
    assert best_steps == [10 * epoch for epoch in best_epochs]
    written = {path.name for path in tmp_path.glob("best-*.npz")}
    assert written == {f"best-{step:08d}.npz" for step in best_steps}
