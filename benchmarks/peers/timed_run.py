"""What the training programs share: their arguments, the clock, and the lines they print.

A program calls `main` with the class of its trainer, an object with

- `weights`: number of trainable weights;
- `train(batches, after_step)`: trains one step on each `(sources, targets)` that the iterator
  `batches` yields (lists of lists of ids, the end token last) and calls `after_step()` after each;

and, where it is measured for quality too (then there is a dropout rate among the arguments),

- `translate(sources, beam_width=1, batch_size=64)`: translations, lists of ids, by greedy search or
  by beam search with the log-probability divided by the length;
- `save(directory)` and `load(directory)`: weights and optimizer.
"""

import argparse
import json
import os
import resource
import shutil
import time
from importlib.metadata import version
from pathlib import Path

from token_batches import ORDERS, TokenBatches

# The shape that all programs train.
EMBEDDING_DIM, ENCODER_UNITS, DECODER_UNITS = 256, 256, 512
ATTENTION_UNITS, READOUT_UNITS = 256, 512
INITIALIZER_RANGE = 0.1
LONGEST_TRANSLATION = 100
CLOCK_FILE = "clock.json"


def main(trainer_class, packages, parser=None):
    """Runs a training program.

    With `--measure-steps` it trains so many steps after the warm-up and prints one JSON object:
    tokens, times, peak memory and versions. With `--evaluate-every` it stops its clock every so
    many steps, translates the validation set, prints one JSON object with the ids and the times
    so far, and writes its state to `--state`, from which it goes on when it is started again. With
    `--decode` it takes the weights from there, translates, and prints one JSON object.

    Args:
        trainer_class: makes a trainer of the parsed arguments and their `vocabulary_size`.
        packages: names of the packages whose versions are printed.
        parser: `argparse.ArgumentParser` with arguments of the program's own.
    """
    parser = parser or argparse.ArgumentParser()
    parser.add_argument("batches", metavar="BATCHES.npz")
    parser.add_argument("--order", choices=ORDERS, default="bucketed")
    parser.add_argument("--learning-rate", type=float, default=1e-3)
    parser.add_argument("--warm-up-steps", type=int, default=10)
    parser.add_argument("--measure-steps", type=int, default=30)
    translates = hasattr(trainer_class, "translate")
    if translates:
        parser.add_argument("--dropout", type=float, default=0.0)
        parser.add_argument("--evaluate-every", type=int, metavar="STEPS")
        parser.add_argument("--steps", type=int, help="where a run with --evaluate-every ends")
        parser.add_argument("--state", type=Path, metavar="DIR")
        parser.add_argument("--decode", type=int, nargs=2, metavar=("BEAM", "BATCH"))
        parser.add_argument("--sentences", type=int, default=1000, help="for --decode (1000)")
    options = parser.parse_args()
    token_batches = TokenBatches(options.batches, options.order)
    options.vocabulary_size = token_batches.vocabulary_size
    trainer = trainer_class(options)
    if translates and options.decode:
        _decode(trainer, token_batches.validation_sources, options, packages)
    elif translates and options.evaluate_every:
        _train_and_translate(trainer, token_batches, options)
    else:
        _measure(trainer, token_batches, options, packages)


class Clock:
    """Sums up CPU and wall seconds of this process while it runs."""

    def __init__(self, cpu_seconds=0.0, wall_seconds=0.0):
        self.cpu_seconds = cpu_seconds
        self.wall_seconds = wall_seconds

    def start(self):
        self._started = time.process_time(), time.perf_counter()

    def stop(self):
        cpu, wall = self._started
        self.cpu_seconds += time.process_time() - cpu
        self.wall_seconds += time.perf_counter() - wall


def _measure(trainer, token_batches, options, packages):
    clock, step = Clock(), 0
    last = options.warm_up_steps + options.measure_steps

    def after_step():
        nonlocal step
        step += 1
        if step == options.warm_up_steps:
            clock.start()
        if step == last:
            clock.stop()

    trainer.train((token_batches.batch(number) for number in range(last)), after_step)
    found = {"target_tokens": 0, "source_tokens": 0, "attended_pairs": 0}
    for number in range(options.warm_up_steps, last):
        for source, target in zip(*token_batches.batch(number), strict=True):
            found["target_tokens"] += len(target)
            found["source_tokens"] += len(source)
            found["attended_pairs"] += len(source) * len(target)
    found |= {
        "cpu_seconds": clock.cpu_seconds,
        "wall_seconds": clock.wall_seconds,
        "peak_megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "weights": trainer.weights,
        "versions": {name: version(name) for name in packages},
    }
    print(json.dumps(found), flush=True)


def _decode(trainer, sources, options, packages):
    beam_width, batch_size = options.decode
    trainer.load(_last_state(options.state))
    found = timed_translation(
        lambda sources: trainer.translate(sources, beam_width, batch_size),
        spread(sources, options.sentences),
        warm_up=2 * batch_size,
    )
    found |= {"weights": trainer.weights, "versions": {name: version(name) for name in packages}}
    print(json.dumps(found), flush=True)


def timed_translation(translate, sources, warm_up):
    """Translates, with the clock, after a part of it without.

    Args:
        translate: from a list of sources to their translations.
        sources: the list.
        warm_up: how many of them are translated before: what is compiled, is compiled then.

    Returns:
        dict of sentences, times, peak memory and translations.
    """
    translate(spread(sources, warm_up))
    clock = Clock()
    clock.start()
    translations = translate(sources)
    clock.stop()
    return {
        "sentences": len(sources),
        "cpu_seconds": clock.cpu_seconds,
        "wall_seconds": clock.wall_seconds,
        "peak_megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "translations": translations,
    }


def spread(items, count):
    """At most `count` of the items, evenly spread over them."""
    step = max(len(items) // count, 1)
    return items[::step][:count]


def _train_and_translate(trainer, token_batches, options):
    clock, step = Clock(), 0
    saved = _last_state(options.state)
    if saved:
        trainer.load(saved)
        state = json.loads((saved / CLOCK_FILE).read_text())
        clock, step = Clock(state["cpu_seconds"], state["wall_seconds"]), state["step"]

    def after_step():
        nonlocal step
        step += 1
        if step % options.evaluate_every:
            return
        clock.stop()
        state = {"step": step, "cpu_seconds": clock.cpu_seconds, "wall_seconds": clock.wall_seconds}
        translations = trainer.translate(token_batches.validation_sources)
        print(json.dumps({**state, "translations": translations}), flush=True)
        _save_state(trainer, state, options.state)
        clock.start()

    clock.start()
    batches = (token_batches.batch(number) for number in range(step, options.steps))
    trainer.train(batches, after_step)


def _save_state(trainer, state, directory):
    new = directory / f"step-{state['step']}"
    new.mkdir(parents=True, exist_ok=True)
    trainer.save(new)
    # Last, because it says that the rest is there.
    temporary = new / f"{CLOCK_FILE}.new"
    temporary.write_text(json.dumps(state))
    os.replace(temporary, new / CLOCK_FILE)
    for old in directory.glob("step-*"):
        if old != new:
            shutil.rmtree(old)


def _last_state(directory):
    whole = [path.parent for path in directory.glob(f"step-*/{CLOCK_FILE}")]
    return max(whole, key=lambda path: int(path.name.removeprefix("step-")), default=None)


def sentences_sorted_by_length(sources, batch_size=64):
    """Yields lists of indices of sources, `batch_size` at a time, short ones together."""
    order = sorted(range(len(sources)), key=lambda index: len(sources[index]))
    for start in range(0, len(order), batch_size):
        yield order[start : start + batch_size]
