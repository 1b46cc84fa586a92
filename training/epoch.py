"""An epoch of a run, or a part of it: its training, and the validation after it."""

import time

from keras_bahdanau.training.backends import SeededSteps
from keras_bahdanau.training.batches import Batches
from keras_bahdanau.training.callbacks import FiniteLoss, StateSaver, TokenProgressBar
from keras_bahdanau.training.checkpoints import Checkpoints
from keras_bahdanau.training.distribution import Distribution
from keras_bahdanau.training.evaluation import corpus_bleu
from keras_bahdanau.training.options import TrainingOptions
from keras_bahdanau.training.splits import Splits
from keras_bahdanau.training.stopping import StopRequest
from keras_bahdanau.training.training_model import TrainingModel
from keras_bahdanau.training.training_state import Progress, steps_done
from keras_bahdanau.translator import Translator


def train_epoch(
    model: TrainingModel,
    batches: Batches,
    options: TrainingOptions,
    progress: Progress,
    checkpoints: Checkpoints,
    stop: StopRequest,
    show_progress: bool,
):
    """Trains on batches up to the next validation, and saves the state there and in between.

    Args:
        model: compiled.
        batches: those of the epoch, or of its part, that are not done yet.
        options: the choices of the run.
        progress: where the run stands; it is kept up to date.
        checkpoints: receives the states.
        stop: is answered after the step under way.
        show_progress: whether to draw a progress bar.

    Raises:
        FloatingPointError: the loss or a weight became infinite or no number.
        KeyboardInterrupt: a stop was requested.
    """
    description = f"epoch {progress.epoch + 1}/{options.epochs}"
    bar = TokenProgressBar(batches, description, show_progress)
    saver = StateSaver(checkpoints, progress, batches, options.checkpoint_every, stop)
    seeds, is_finite = SeededSteps(batches, options.seed), FiniteLoss(batches, checkpoints)
    try:
        model.train_epoch(batches, [seeds, bar, is_finite, saver])
    finally:
        bar.on_train_end()
    place = round(batches.epoch + batches.stop / len(batches.rows), 3)
    if batches.ends_epoch:
        place = progress.epoch = batches.epoch + 1
        progress.batch = 0
    progress.history.append(
        {
            "epoch": place,
            "training_loss": round(progress.training_loss, 4),
            "tokens_per_second": round(bar.tokens_per_second, 1),
            "padding_share": round(batches.padding_share, 4),
        }
    )
    # Before the validation, which takes time too.
    progress.awaits_validation = True
    checkpoints.save(model, progress)
    stop.answer(steps_done(model))


def validate_epoch(
    translator: Translator,
    step: int,
    splits: Splits,
    options: TrainingOptions,
    progress: Progress,
    checkpoints: Checkpoints,
    distribution: Distribution,
):
    """Scores the weights that training has come to, and saves them if they are the best so far.

    Args:
        translator: has these weights.
        step: how many steps they took.
        splits: the pairs of the run.
        options: its choices.
        progress: receives the BLEU of greedy search on the validation pairs.
        checkpoints: receives the best weights.
        distribution: its chief translates.
    """
    started = time.monotonic()

    def greedy_bleu():
        sources, references = zip(*splits.validation, strict=True)
        translations = translator.translate(sources, beam_width=1, batch_size=128)
        return corpus_bleu(translations, references, options.tokenize)

    bleu = distribution.from_chief(greedy_bleu)
    # While no sentence has four words right, BLEU is 0 and says nothing: newer weights win.
    if bleu > progress.best_bleu or bleu == 0 == progress.best_bleu:
        progress.best_bleu, progress.best_step = bleu, step
        progress.best_epoch = progress.history[-1]["epoch"]
        checkpoints.save_best(translator.model, progress)
    progress.history[-1]["validation_bleu"] = round(bleu, 2)
    progress.awaits_validation = False
    progress.seconds += time.monotonic() - started
