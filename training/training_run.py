"""Trains a translator: epochs, validation, checkpoints, and the scores at the end."""

import dataclasses
import sys
import time
from pathlib import Path

from keras_bahdanau.errors import InputError
from keras_bahdanau.files import read_json, remove_leftovers, write_json
from keras_bahdanau.models import TranslationModel
from keras_bahdanau.text.tokenizer import PAD_ID, START_ID
from keras_bahdanau.translation.translator import Translator

from .backends import SeededSteps, make_repeatable, shape_options
from .callbacks import EventLog, FiniteLoss, StateSaver, StopRequest, TokenProgressBar
from .checkpoints import Checkpoints, Progress, steps_done
from .compilation import compile_for_training
from .data.batch_plan import BatchPlan
from .data.batches import Batches
from .data.preparation import DIVERSIFICATION, check_can_hold_run, prepare
from .data.splits import Splits
from .distribution import Distribution, start_distribution
from .evaluation import choose_length_penalty, corpus_bleu, evaluate
from .options import TrainingOptions
from .training_model import TrainingModel

METRICS_FILE = "metrics.json"


def train(
    splits: Splits,
    options: TrainingOptions,
    directory,
    *,
    devices: int = 1,
    show_progress: bool = True,
) -> tuple[Translator, dict]:
    """Trains a translator, or resumes a run that was interrupted.

    Called again with the same pairs, options and directory, it resumes from the last checkpoint, in
    the middle of an epoch too, and ends with the weights of an uninterrupted run, bit for bit. (On
    another number of cores: with the same batches and dropout masks, and with weights that differ
    by the order of float32 sums. On another backend: with the same batches and other dropout
    masks.) For this, operations are made deterministic for the rest of the process. SIGTERM and
    SIGINT end a run after the current step, with a checkpoint. If a checkpoint is damaged, the one
    before is used.

    On several devices or machines (see `start_distribution`) each batch is shared. The batches are
    the same, and losses and weights are, but for the order of sums and the dropout masks. All
    machines must share `directory`; only the first one writes.

    Progress is reported on standard error.

    Args:
        splits: `Splits`, the training, validation and test pairs of (source, target) texts.
        options: `TrainingOptions`, the hyper-parameters; `preset_options` makes them.
        directory: model directory, new or empty or of a run to resume. Receives `model.keras`,
            `tokenizer.model`, `config.json`, `metrics.json`, `checkpoints/` and `logs/`
            (TensorBoard), and with `options.diversify` also `diversification/`.
        devices: number of GPUs of each machine that share a batch.
        show_progress: whether to draw progress bars. Results of epochs are printed anyway.

    Returns:
        `(translator, metrics)`: the `Translator` with the weights of the best validation BLEU, and
        the content of `metrics.json`.

    Raises:
        InputError: the pairs are unusable, the directory holds something else or a run of other
            options or pairs, all its checkpoints are damaged, or there are fewer devices.
        FloatingPointError: the loss or a weight became infinite or NaN. The checkpoints are from
            before.
        KeyboardInterrupt: SIGTERM or SIGINT arrived. The state is saved.
        OSError: the disk is full, for example. The checkpoints before are intact.
        ConnectionError: another machine of the run was lost. The checkpoints are intact.

    Example:

    ```python
    from keras_bahdanau.training import ParallelFiles, Splits, preset_options, train

    splits = Splits(
        train=ParallelFiles("train.en", "train.de"),
        validation=list(ParallelFiles("validation.en", "validation.de")),
    )
    translator, metrics = train(splits, preset_options("tiny", epochs=3), "my-model")
    print(metrics["validation_bleu"], translator.translate(["Two dogs run."]))
    ```

    `Translator.load("my-model")` loads the translator again.
    """
    directory = Path(directory)
    distribution = start_distribution(devices)
    show_progress = show_progress and distribution.is_chief
    if options.diversify:
        # Few runs need it.
        from .diversification import diversify

        check_can_hold_run(directory)

        def train_helper(*given):
            return _train(*given, distribution, show_progress)[0]

        folder = directory / DIVERSIFICATION
        splits = diversify(splits, options, folder, train_helper, distribution, show_progress)
        # A translation may be longer than any text of the corpus.
        options = dataclasses.replace(options, long_pairs="drop")
    return _train(splits, options, directory, distribution, show_progress)


def _train(splits, options, directory, distribution, show_progress):
    """`train` on a given distribution, without data diversification."""
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
            report(f"already finished after {metrics['epochs']} epochs: not trained again")
        return Translator.load(directory), metrics
    corpus, plan = prepared.corpus, _batch_plan(prepared.corpus, options)
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
    if is_chief:
        size = f"{translation_model.count_params():,} weights, {len(corpus):,} pairs"
        report(_place(progress) if progress else size)
    progress = progress or Progress()

    run = options, progress, checkpoints
    log = EventLog(directory / "logs")
    with StopRequest() as request:
        # Only the chief can save, so the other processes end after it did.
        stop = request if is_chief else StopRequest()
        while not _is_over(progress, options):
            if not progress.awaits_validation:
                batches = _remaining_batches(corpus, plan, progress, options)
                if plan.few_shapes and not model.train_function:
                    report(
                        f"epoch {progress.epoch + 1}/{options.epochs}: {len(batches.shapes)} "
                        "shapes of batches to compile"
                    )
                train_epoch(model, batches, *run, stop, show_progress)
            model.copy_weights_to(translation_model)
            step = steps_done(model)
            validate_epoch(translator, step, splits, *run, distribution)
            if is_chief:
                numbers = progress.history[-1]
                report(_result(numbers, is_best=progress.best_step == step))
                log.add(numbers, step=step)
            checkpoints.save(model, progress)
            stop.answer(step)

    def finish():
        if not is_chief:
            return Translator.load(directory), read_json(directory / METRICS_FILE)
        checkpoints.load_best(translation_model, progress)
        return translator, _finish(translator, splits, options, progress, directory, len(corpus))

    return distribution.chief_first(finish)


def _batch_plan(corpus, options):
    return BatchPlan(
        corpus.source_lengths,
        corpus.target_lengths,
        batch_size=None if options.tokens_per_batch else options.batch_size,
        tokens_per_batch=options.tokens_per_batch or None,
        seed=options.seed,
        **shape_options(options),
    )


def _remaining_batches(corpus, plan, progress, options):
    """The batches of the epoch that are not done yet, up to the next validation."""
    return Batches(
        corpus,
        plan,
        epoch=progress.epoch,
        start=progress.batch,
        parts=options.validations_per_epoch,
        start_id=START_ID,
        pad_id=PAD_ID,
    )


def train_epoch(
    model: TrainingModel,
    batches: Batches,
    options: TrainingOptions,
    progress: Progress,
    checkpoints: Checkpoints,
    stop: StopRequest,
    show_progress: bool,
):
    """Trains up to the next validation, with checkpoints on the way and at the end.

    Args:
        model: compiled.
        batches: those of the epoch, or of its part, that are not done yet.
        options: the hyper-parameters.
        progress: the progress of the run; it is updated.
        checkpoints: saves the states.
        stop: is answered after the current step.
        show_progress: whether to draw a progress bar.

    Raises:
        FloatingPointError: the loss or a weight became infinite or NaN.
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
    # Saved before the validation, which may be interrupted too.
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
    """Computes the validation BLEU of the current weights, and saves them if it is the best so far.

    Args:
        translator: has these weights.
        step: optimizer steps that led to them.
        splits: the pairs of the run.
        options: its hyper-parameters.
        progress: receives the BLEU of greedy search on the validation pairs.
        checkpoints: saves the best weights.
        distribution: its chief translates.
    """
    started = time.monotonic()

    def greedy_bleu():
        sources, references = zip(*splits.validation, strict=True)
        translations = translator.translate(sources, beam_width=1, batch_size=128)
        return corpus_bleu(translations, references, options.tokenize)

    bleu = distribution.from_chief(greedy_bleu)
    # A BLEU of 0 does not rank weights: until it rises, the newest ones are kept.
    if bleu > progress.best_bleu or bleu == 0 == progress.best_bleu:
        progress.best_bleu, progress.best_step = bleu, step
        progress.best_epoch = progress.history[-1]["epoch"]
        checkpoints.save_best(translator.model, progress)
    progress.history[-1]["validation_bleu"] = round(bleu, 2)
    progress.awaits_validation = False
    progress.seconds += time.monotonic() - started


def _finish(translator, splits, options, progress, directory, training_pairs):
    """Chooses the length penalty, scores the test pairs and saves the translator; the metrics."""
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


def _check_same_step(model, distribution, directory):
    step = steps_done(model)
    chiefs_step = int(distribution.from_chief(lambda: step))
    if step != chiefs_step:
        raise InputError(
            f"Expected the checkpoint of the first machine, after step {chiefs_step}, in "
            f"{directory}, which all machines must share. Received: step {step}"
        )


def _is_over(progress, options):
    epochs_since_best = progress.epoch - progress.best_epoch
    is_exhausted = progress.batch == 0 and epochs_since_best >= options.patience
    return not progress.awaits_validation and (progress.epoch >= options.epochs or is_exhausted)


def report(line: str):
    """Prints one line about the run on standard error."""
    print(line, file=sys.stderr, flush=True)


def _place(progress):
    if progress.awaits_validation:
        return f"continuing at the validation of epoch {progress.history[-1]['epoch']}"
    return f"continuing at epoch {progress.epoch + 1}, batch {progress.batch + 1}"


def _result(numbers, is_best):
    return (
        f"epoch {numbers['epoch']}: training loss {numbers['training_loss']:.3f}, validation BLEU "
        f"{numbers['validation_bleu']:.2f}{' (best)' if is_best else ''}, "
        f"{numbers['tokens_per_second']:,.0f} tokens/s"
    )
