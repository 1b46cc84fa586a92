"""The training run: from pairs of texts to a model directory."""

import dataclasses
import sys
from pathlib import Path

from keras_bahdanau.errors import InputError
from keras_bahdanau.files import remove_leftovers
from keras_bahdanau.model_directory import read_json, write_json
from keras_bahdanau.models import TranslationModel
from keras_bahdanau.text.tokenizer import PAD_ID, START_ID
from keras_bahdanau.training.backends import make_repeatable, shape_options
from keras_bahdanau.training.batch_plan import BatchPlan
from keras_bahdanau.training.batches import Batches
from keras_bahdanau.training.checkpoints import Checkpoints
from keras_bahdanau.training.distribution import start_distribution
from keras_bahdanau.training.diversification import diversify
from keras_bahdanau.training.epoch import train_epoch, validate_epoch
from keras_bahdanau.training.evaluation import choose_length_penalty, evaluate
from keras_bahdanau.training.event_log import EventLog
from keras_bahdanau.training.options import TrainingOptions
from keras_bahdanau.training.preparation import (
    DIVERSIFICATION,
    check_is_free,
    holds_run,
    prepare,
)
from keras_bahdanau.training.splits import Splits
from keras_bahdanau.training.stopping import StopRequest
from keras_bahdanau.training.training_model import compile_for_training
from keras_bahdanau.training.training_state import Progress, steps_done
from keras_bahdanau.translator import Translator

METRICS_FILE = "metrics.json"


def train(
    splits: Splits,
    options: TrainingOptions,
    directory,
    *,
    devices: int = 1,
    show_progress: bool = True,
):
    """Trains a translator, or goes on with a run that was interrupted.

    Run again with the same pairs, options and directory, it continues from the last checkpoint,
    in the middle of an epoch too, and ends with the weights of a run that was never interrupted
    (on another number of cores: with the same batches and dropout masks, and with weights that
    differ by what the order of sums in float32 makes of them). For this it makes operations
    deterministic, for the rest of the process (see `make_repeatable`). On another backend a run
    goes on too, with the same batches and other dropout masks. SIGTERM and SIGINT end it after the
    step under way, with a checkpoint; a checkpoint that is damaged is passed over for the one
    before.

    On several devices or machines (see `start_distribution`) each batch is shared. The batches are
    the same, and so are losses and weights but for the order of sums and the dropout masks. On
    several machines, `directory` is one that all of them see, and the first one alone writes.

    Args:
        splits: the pairs.
        options: the choices.
        directory: receives `model.keras`, `tokenizer.model`, `config.json`, `metrics.json`,
            `checkpoints/` and `logs/` (TensorBoard), and with `options.diversify`
            `diversification/` (see `diversify`).
        devices: how many GPUs of each machine share a batch.
        show_progress: whether to draw progress bars. Results of epochs are printed anyway.

    Returns:
        `(translator, metrics)`: the translator with the best weights, and what `metrics.json`
        holds.

    Raises:
        InputError: the pairs are unusable, the directory holds something else, all its
            checkpoints are damaged, or there are fewer devices.
        FloatingPointError: the loss or a weight became infinite or no number. The checkpoints
            are older than that.
        KeyboardInterrupt: SIGTERM or SIGINT came.
        OSError: the disk is full, for example. The checkpoints before are whole.
        ConnectionError: another machine of the run is gone. So are they.
    """
    directory = Path(directory)
    distribution = start_distribution(devices)
    show_progress = show_progress and distribution.is_chief
    if options.diversify:
        if not holds_run(directory):
            check_is_free(directory)

        def train_helper(*given):
            return _train(*given, distribution, show_progress)[0]

        folder = directory / DIVERSIFICATION
        splits = diversify(splits, options, folder, train_helper, distribution, show_progress)
        # A translation may be longer than any text.
        options = dataclasses.replace(options, long_pairs="drop")
    return _train(splits, options, directory, distribution, show_progress)


def _train(splits, options, directory, distribution, show_progress):
    """`train` on a distribution, of the pairs as they are."""
    is_chief = distribution.is_chief
    make_repeatable(options.seed)
    prepared = distribution.chief_first(
        lambda: prepare(splits, options, directory, show_progress=show_progress)
    )
    if is_chief:
        remove_leftovers(directory)
    if (directory / METRICS_FILE).is_file():
        metrics = read_json(directory / METRICS_FILE)
        if is_chief:
            report(f"finished before, after {metrics['epochs']} epochs: not trained again")
        return Translator.load(directory), metrics
    plan = BatchPlan(
        prepared.corpus.source_lengths,
        prepared.corpus.target_lengths,
        batch_size=None if options.tokens_per_batch else options.batch_size,
        tokens_per_batch=options.tokens_per_batch or None,
        seed=options.seed,
        **shape_options(options),
    )
    translation_model = TranslationModel(
        prepared.tokenizer.vocabulary_size, pad_id=PAD_ID, **options.model_arguments()
    )
    model = compile_for_training(translation_model, options, len(plan.batches(0)), distribution)
    translator = Translator(
        translation_model,
        prepared.tokenizer,
        {"max_length": options.max_length, "max_target_length": 2 * options.max_length},
    )
    checkpoints = Checkpoints(directory / "checkpoints", report, is_writer=is_chief)
    progress = distribution.chief_first(lambda: checkpoints.load(model))
    _check_same_step(model, distribution, directory)
    distribution.separate_dropout(model)
    if progress:
        place = f"epoch {progress.epoch + 1}, batch {progress.batch + 1}"
        if progress.awaits_validation:
            place = f"the validation of epoch {progress.history[-1]['epoch']}"
        story = f"continuing at {place}"
    else:
        progress = Progress()
        story = f"{translation_model.count_params():,} weights, {len(prepared.corpus):,} pairs"
    if is_chief:
        report(story)

    run = options, progress, checkpoints
    log = EventLog(directory / "logs")
    with StopRequest() as request:
        # The other processes end when the chief did, which alone can save.
        stop = request if is_chief else StopRequest()
        while not _is_over(progress, options):
            if not progress.awaits_validation:
                batches = Batches(
                    prepared.corpus,
                    plan,
                    epoch=progress.epoch,
                    start=progress.batch,
                    parts=options.validations_per_epoch,
                    start_id=START_ID,
                    pad_id=PAD_ID,
                )
                if plan.few_shapes and not model.train_function:
                    report(
                        f"epoch {progress.epoch + 1}/{options.epochs}: {len(batches.shapes)} "
                        "shapes of batches, compiled as they come"
                    )
                train_epoch(model, batches, *run, stop, show_progress)
            model.copy_weights_to(translation_model)
            step = steps_done(model)
            validate_epoch(translator, step, splits, *run, distribution)
            if is_chief:
                numbers = progress.history[-1]
                report(_story_of_epoch(numbers, is_best=progress.best_step == step))
                log.add(numbers, step=step)
            checkpoints.save(model, progress)
            stop.answer(step)

    def finish():
        if not is_chief:
            return Translator.load(directory), read_json(directory / METRICS_FILE)
        checkpoints.load_best(translation_model, progress)
        pairs = len(prepared.corpus)
        return translator, _finish(translator, splits, options, progress, directory, pairs)

    return distribution.chief_first(finish)


def report(line: str):
    """One line of a run's story, on standard error."""
    print(line, file=sys.stderr, flush=True)


def _check_same_step(model, distribution, directory):
    step = steps_done(model)
    chiefs_step = int(distribution.from_chief(lambda: step))
    if step != chiefs_step:
        raise InputError(
            f"Expected the checkpoint of the first machine, after step {chiefs_step}, in "
            f"{directory}, which all machines have to see. Received: step {step}"
        )


def _is_over(progress, options):
    epochs_since_best = progress.epoch - progress.best_epoch
    is_exhausted = progress.batch == 0 and epochs_since_best >= options.patience
    return not progress.awaits_validation and (progress.epoch >= options.epochs or is_exhausted)


def _story_of_epoch(numbers, is_best):
    return (
        f"epoch {numbers['epoch']}: training loss {numbers['training_loss']:.3f}, validation BLEU "
        f"{numbers['validation_bleu']:.2f}{' (best)' if is_best else ''}, "
        f"{numbers['tokens_per_second']:,.0f} tokens/s"
    )


def _finish(translator, splits, options, progress, directory, training_pairs):
    sources, references = zip(*splits.validation, strict=True)
    translator.config["length_penalty"], beam_bleu = choose_length_penalty(
        translator, sources, references, options.tokenize
    )
    report(
        f"length penalty {translator.length_penalty}, validation BLEU {beam_bleu:.2f} with beam "
        f"search, {progress.best_bleu:.2f} without"
    )
    metrics = {
        "validation_bleu": round(progress.best_bleu, 2),
        "validation_bleu_beam": round(beam_bleu, 2),
        "length_penalty": translator.length_penalty,
        "best_epoch": progress.best_epoch,
        "epochs": progress.epoch,
        "seconds": round(progress.seconds, 1),
        "weights": translator.model.count_params(),
        "training_pairs": training_pairs,
    }
    if splits.test:
        sources, references = zip(*splits.test, strict=True)
        scores, _ = evaluate(
            translator,
            sources,
            references,
            tokenize=options.tokenize,
            length_penalty=translator.length_penalty,
        )
        metrics |= {"test_bleu": scores["bleu"], "test_chrf": scores["chrf"]}
        metrics |= {"signature": scores["signature"]}
        report(f"test BLEU {scores['bleu']:.2f} (beam {scores['beam_width']})")
    translator.config["training"] = dataclasses.asdict(options)
    translator.save(directory)
    write_json(directory / METRICS_FILE, metrics)
    return metrics
