"""The training run: from pairs of texts to a model directory."""

import dataclasses
import sys
import time
from pathlib import Path

import keras
from tensorboard.summary import Writer

from keras_bahdanau.files import atomic_path
from keras_bahdanau.model_directory import read_json, write_json
from keras_bahdanau.models import TranslationModel
from keras_bahdanau.text.tokenizer import PAD_ID, START_ID
from keras_bahdanau.training.batch_plan import BatchPlan
from keras_bahdanau.training.batches import Batches
from keras_bahdanau.training.callbacks import FiniteLoss, StateSaver, TokenProgressBar
from keras_bahdanau.training.evaluation import corpus_bleu, evaluate
from keras_bahdanau.training.losses import SmoothedCrossEntropy
from keras_bahdanau.training.options import TrainingOptions
from keras_bahdanau.training.preparation import prepare
from keras_bahdanau.training.splits import Splits
from keras_bahdanau.training.training_state import Progress, load_state, save_state
from keras_bahdanau.translator import Translator

STATE_FILE, BEST_FILE, METRICS_FILE = "state.npz", "best.weights.h5", "metrics.json"


def train(splits: Splits, options: TrainingOptions, directory, *, show_progress: bool = True):
    """Trains a translator, or goes on with a run that was interrupted.

    Run again with the same pairs, options and directory, it continues from the last checkpoint,
    in the middle of an epoch too, and ends with the weights of a run that was never interrupted.
    For this it makes TensorFlow's operations deterministic, for the rest of the process.

    Args:
        splits: the pairs.
        options: the choices.
        directory: receives `model.keras`, `tokenizer.model`, `config.json`, `metrics.json`,
            `checkpoints/` and `logs/` (TensorBoard).
        show_progress: whether to draw progress bars. Results of epochs are printed anyway.

    Returns:
        `(translator, metrics)`: the translator with the best weights, and what `metrics.json`
        holds.

    Raises:
        InputError: the pairs are unusable, or the directory holds something else.
        FloatingPointError: the loss became infinite or no number.
    """
    directory = Path(directory)
    keras.utils.set_random_seed(options.seed)
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        tf.config.experimental.enable_op_determinism()
    prepared = prepare(splits, options, directory)
    plan = BatchPlan(
        prepared.corpus.source_lengths,
        prepared.corpus.target_lengths,
        batch_size=options.batch_size,
        seed=options.seed,
    )
    model = TranslationModel(
        prepared.tokenizer.vocabulary_size, pad_id=PAD_ID, **options.model_arguments()
    )
    compile_for_training(model, options, steps_per_epoch=len(plan.batches(0)))
    translator = Translator(
        model,
        prepared.tokenizer,
        {"max_length": options.max_length, "max_target_length": 2 * options.max_length},
    )
    checkpoints = directory / "checkpoints"
    progress = Progress()
    if (checkpoints / STATE_FILE).is_file():
        progress = load_state(checkpoints / STATE_FILE, model)
        if _is_over(progress, options) and (directory / METRICS_FILE).is_file():
            report(f"finished before, after {progress.epoch} epochs: not trained again")
            return Translator.load(directory), read_json(directory / METRICS_FILE)
        report(f"continuing at epoch {progress.epoch + 1}, batch {progress.batch + 1}")
    else:
        report(f"{model.count_params():,} weights, {_describe(prepared.corpus, splits)}")

    logs = Writer(str(directory / "logs"))
    while not _is_over(progress, options):
        _train_epoch(model, prepared.corpus, plan, options, progress, checkpoints, show_progress)
        _validate(translator, splits, progress, checkpoints, logs)
        save_state(checkpoints / STATE_FILE, model, progress)
    logs.close()

    # A model of its own, because a compiled one would be saved with its optimizer.
    best = TranslationModel.from_config(model.get_config())
    best.load_weights(checkpoints / BEST_FILE)
    translator = Translator(best, translator.tokenizer, translator.config)
    metrics = _finish(translator, splits, options, progress, directory, len(prepared.corpus))
    return translator, metrics


def compile_for_training(model, options: TrainingOptions, steps_per_epoch: int):
    """Compiles a model with Adam, a warm-up and cosine schedule, and the smoothed loss."""
    steps = steps_per_epoch * options.epochs
    warmup_steps = min(options.warmup_steps, steps // 4)
    schedule = keras.optimizers.schedules.CosineDecay(
        0.0 if warmup_steps else options.learning_rate,
        decay_steps=max(steps - warmup_steps, 1),
        alpha=options.final_learning_rate,
        warmup_target=options.learning_rate if warmup_steps else None,
        warmup_steps=warmup_steps,
    )
    model.compile(
        optimizer=keras.optimizers.Adam(schedule, global_clipnorm=options.clip_norm or None),
        loss=SmoothedCrossEntropy(options.label_smoothing),
        # XLA on TensorFlow would compile anew for every shape, and is slower on a processor.
        jit_compile=False if keras.backend.backend() == "tensorflow" else "auto",
    )


def report(line: str):
    """One line of a run's story, on standard error."""
    print(line, file=sys.stderr, flush=True)


def _describe(corpus, splits):
    pairs, long_pairs = f"{len(corpus):,} pairs", corpus.long_pairs
    left_out = {
        f"beyond {long_pairs.limit} pieces": long_pairs.count,
        "with a blank side": len(splits.train) - len(corpus) - long_pairs.count,
    }
    reasons = [f"{count:,} {reason}" for reason, count in left_out.items() if count]
    return f"{pairs} (left out: {', '.join(reasons)})" if reasons else pairs


def _is_over(progress, options):
    epochs_since_best = progress.epoch - progress.best_epoch
    is_exhausted = progress.batch == 0 and epochs_since_best >= options.patience
    return progress.epoch >= options.epochs or is_exhausted


def _train_epoch(model, corpus, plan, options, progress, checkpoints, show_progress):
    batches = Batches(
        corpus, plan, epoch=progress.epoch, start=progress.batch, start_id=START_ID, pad_id=PAD_ID
    )
    description = f"epoch {progress.epoch + 1}/{options.epochs}"
    bar = TokenProgressBar(batches, description, show_progress)
    saver = StateSaver(checkpoints / STATE_FILE, progress, batches, options.checkpoint_every)
    history = model.fit(
        batches,
        initial_epoch=progress.epoch,
        epochs=progress.epoch + 1,
        shuffle=False,
        verbose=0,
        callbacks=[bar, FiniteLoss(batches), saver],
    )
    progress.epoch, progress.batch = progress.epoch + 1, 0
    progress.history.append(
        {
            "epoch": progress.epoch,
            "training_loss": round(history.history["loss"][-1], 4),
            "tokens_per_second": round(bar.tokens_per_second, 1),
            "padding_share": round(batches.padding_share, 4),
        }
    )


def _validate(translator, splits, progress, checkpoints, logs):
    started = time.monotonic()
    sources, references = zip(*splits.validation, strict=True)
    bleu = corpus_bleu(translator.translate(sources, beam_width=1, batch_size=128), references)
    # While no sentence has four words right, BLEU is 0 and says nothing: newer weights win.
    is_best = bleu > progress.best_bleu or bleu == 0 == progress.best_bleu
    if is_best:
        progress.best_bleu, progress.best_epoch = bleu, progress.epoch
        with atomic_path(checkpoints / BEST_FILE) as temporary:
            translator.model.save_weights(temporary)
    progress.seconds += time.monotonic() - started
    latest = progress.history[-1]
    latest["validation_bleu"] = round(bleu, 2)
    for name, value in latest.items():
        if name != "epoch":
            logs.add_scalar(name, value, progress.epoch)
    logs.flush()
    report(
        f"epoch {progress.epoch}: training loss {latest['training_loss']:.3f}, validation BLEU "
        f"{bleu:.2f}{' (best)' if is_best else ''}, {latest['tokens_per_second']:,.0f} tokens/s"
    )


def _finish(translator, splits, options, progress, directory, training_pairs):
    metrics = {
        "validation_bleu": round(progress.best_bleu, 2),
        "best_epoch": progress.best_epoch,
        "epochs": progress.epoch,
        "seconds": round(progress.seconds, 1),
        "weights": translator.model.count_params(),
        "training_pairs": training_pairs,
    }
    if splits.test:
        sources, references = zip(*splits.test, strict=True)
        scores, _ = evaluate(translator, sources, references)
        metrics |= {"test_bleu": scores["bleu"], "test_chrf": scores["chrf"]}
        metrics |= {"signature": scores["signature"]}
        report(f"test BLEU {scores['bleu']:.2f} (beam {scores['beam_width']})")
    translator.config["training"] = dataclasses.asdict(options)
    translator.save(directory)
    write_json(directory / METRICS_FILE, metrics)
    return metrics
