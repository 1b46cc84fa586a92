import keras
import pytest
from toy_corpus import random_pieces

from keras_bahdanau.models import TranslationModel
from keras_bahdanau.training.callbacks import StopRequest
from keras_bahdanau.training.checkpoints import Checkpoints, Progress
from keras_bahdanau.training.compilation import compile_for_training
from keras_bahdanau.training.data.batch_plan import BatchPlan
from keras_bahdanau.training.data.batches import Batches
from keras_bahdanau.training.data.corpus_writer import build_corpus
from keras_bahdanau.training.data.splits import Splits
from keras_bahdanau.training.distribution import Distribution
from keras_bahdanau.training.options import preset_options
from keras_bahdanau.training.train import train_epoch, validate_epoch

WIDTHS = ("embedding_dim", "encoder_units", "decoder_units", "attention_units")
OPTIONS = preset_options(
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
def train(corpus):
    """Function of checkpoints that trains the first epoch, or what is left of it: the progress."""
    keras.utils.set_random_seed(0)
    translation_model = TranslationModel(20, **OPTIONS.model_arguments())
    # Batches of 16, 16 and 10 pairs, in some order.
    plan = BatchPlan(corpus.source_lengths, corpus.target_lengths, batch_size=16)
    model = compile_for_training(translation_model, OPTIONS, len(plan.batches(0)))
    variables = [*model.variables, *model.optimizer.variables]
    beginning = [keras.ops.convert_to_numpy(variable) for variable in variables]

    def train(checkpoints):
        # One model for all runs, because its graph takes longer than they do.
        for variable, value in zip(variables, beginning, strict=True):
            variable.assign(value)
        progress = checkpoints.load(model) or Progress()
        batches = Batches(corpus, plan, start=progress.batch)
        train_epoch(
            model, batches, OPTIONS, progress, checkpoints, StopRequest(), show_progress=False
        )
        return progress

    return train


def test_the_loss_of_an_interrupted_epoch_is_that_of_a_whole_one(train, tmp_path):
    whole = train(Checkpoints(tmp_path / "whole", print))
    assert (whole.epoch, whole.batch, whole.awaits_validation) == (1, 0, True)
    for batches in (1, 2):
        with pytest.raises(KeyboardInterrupt):
            train(StopsAfter(tmp_path / "stopped", batches))
    resumed = train(Checkpoints(tmp_path / "stopped", print))
    assert resumed.training_loss == pytest.approx(whole.training_loss, rel=1e-5)
    assert resumed.epoch == 1


def test_the_best_weights_are_the_latest_while_bleu_is_zero(untrained, tmp_path, monkeypatch):
    splits = Splits([], [("two dogs", "zwei Hunde")], [])
    checkpoints, progress = Checkpoints(tmp_path, print), Progress()
    best_epochs, best_steps = [], []
    for bleu in (0.0, 0.0, 0.5, 0.0, 0.5, 0.75):
        monkeypatch.setattr(
            "keras_bahdanau.training.train.corpus_bleu",
            lambda hypotheses, references, tokenize, bleu=bleu: bleu,
        )
        progress.epoch, progress.awaits_validation = progress.epoch + 1, True
        progress.history.append({"epoch": progress.epoch})
        step = 10 * progress.epoch
        validate_epoch(untrained, step, splits, OPTIONS, progress, checkpoints, Distribution())
        assert not progress.awaits_validation
        assert progress.history[-1]["validation_bleu"] == bleu
        best_epochs.append(progress.best_epoch)
        best_steps.append(progress.best_step)
    assert best_epochs == [1, 2, 3, 3, 3, 6]
    assert best_steps == [10 * epoch for epoch in best_epochs]
    written = {path.name for path in tmp_path.glob("best-*.npz")}
    assert written == {f"best-{step:08d}.npz" for step in best_steps}
