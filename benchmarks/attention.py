"""Time and peak memory of additive attention: this package's, Keras's, and the naive form.

BahdanauAttention   the package's layer, which computes the scores in chunks and recomputes the
                    tanh in the backward pass
AdditiveAttention   keras.layers.AdditiveAttention, which has no projections
naive sum           the projections and the score of BahdanauAttention as TensorFlow Addons and
                    Keras compute it: the sum over units of v * tanh(q + k), whose tanh and
                    product are tensors of (batch, query length, memory length, units)
naive product       the same with a matrix product of tanh and v, which keeps only the tanh

A second table trains a recurrent layer, AttentionRNN(GRUCell, BahdanauAttention), and compares it
with the same recurrence over the naive product, which stores the tanh of every step.

Each number is that of a training step: forward pass and the gradients of inputs and all weights, in
float32, with all widths equal to `units`.
"""

import argparse
import importlib.metadata
import os
import platform
import sys
from pathlib import Path
from statistics import median

from measuring import FORMS, Case, Measurement, measure_all

SIZES = [(64, 20, 20, 256), (32, 128, 128, 512), (8, 400, 400, 256), (16, 50, 1000, 256)]
QUICK_SIZES = [(8, 20, 20, 64), (4, 100, 100, 64)]
EXPLANATION = """
How it is measured: each measurement is a process of its own, and the forms take turns (A B C
A B C ...), so that other work on the machine meets all of them. A process makes weights and
inputs, notes its peak memory (ru_maxrss), and repeats the step for at least a second. Its time is
the least of a step (of the mean of a row of steps, where they are short), without the first, which
compiles; its memory is the growth of the peak over what was noted, compiling included. The tables
print medians over the rounds:

  CPU ms       time of a step on all cores together
  wall ms      time of a step by the clock
  MB           growth of the peak memory
  time ratio   CPU ms of the package's form divided by those of this form: below 1, it is faster
  memory ratio MB of this form divided by those of the package's: above 1, it needs less

Works where Python's `resource` module does: Linux and macOS.

Examples:
  python benchmarks/attention.py --quick
  python benchmarks/attention.py --output attention.jsonl > attention.md
  python benchmarks/attention.py --backend jax --table attention --sizes 32,128,128,512
"""


def main(arguments=None):
    options = _parser().parse_args(arguments)
    sizes = options.sizes or (QUICK_SIZES if options.quick else SIZES)
    rounds = options.rounds or (1 if options.quick else 3)
    packages = ("keras", options.backend)
    cases = [
        Case(options.backend, table, form, size, round)
        for round in range(1, rounds + 1)
        for table in options.table
        for size in sizes
        for form in FORMS[table]
    ]
    try:
        versions = [f"{name} {importlib.metadata.version(name)}" for name in packages]
        results = measure_all(cases, options.output)
    except importlib.metadata.PackageNotFoundError as error:
        print(f"attention.py: package {error.name} is not installed", file=sys.stderr)
        return 1
    except (OSError, RuntimeError, ValueError) as error:
        print(f"attention.py: {error}", file=sys.stderr)
        return 1
    machine = f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores"
    print(f"{', '.join(versions)}; {machine}; rounds: {rounds}")
    for table in options.table:
        print(f"\n{table}\n")
        print("\n".join(rows(table, sizes, results)))
    return 0


def rows(table, sizes, results):
    """Lines of a Markdown table: for each size one row for each form."""
    columns = ["batch x query x memory x units", "form", "CPU ms", "wall ms", "MB"]
    columns += ["time ratio", "memory ratio"]
    yield "| " + " | ".join(columns) + " |"
    yield "|---|---" + "|---:" * (len(columns) - 2) + "|"
    for size in sizes:
        own, *others = (_medians(table, form, size, results) for form in FORMS[table])
        for form, found in zip(FORMS[table], (own, *others), strict=True):
            cells = [" x ".join(map(str, size)), form, *(f"{number:.1f}" for number in found)]
            cells += [
                f"{own.cpu_milliseconds / found.cpu_milliseconds:.2f}",
                f"{found.megabytes / own.megabytes:.1f}" if own.megabytes else "-",
            ]
            yield "| " + " | ".join(cells) + " |"


def _medians(table, form, size, results):
    found = [
        measurement
        for case, measurement in results.items()
        if (case.table, case.form, case.size) == (table, form, size)
    ]
    return Measurement(*(median(column) for column in zip(*found, strict=True)))


def _parser():
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog=EXPLANATION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--sizes",
        nargs="+",
        type=_size,
        metavar="B,Q,M,U",
        help="batch size, query length (in the recurrent table: target length), memory length and "
        f"units, as often as wanted; without it: {' '.join(map(_written, SIZES))}",
    )
    parser.add_argument("--rounds", type=_positive, help="processes for each form and size (3)")
    parser.add_argument("--backend", choices=["tensorflow", "jax", "torch"], default="tensorflow")
    parser.add_argument(
        "--table", choices=FORMS, nargs="+", default=list(FORMS), help="what to measure (both)"
    )
    parser.add_argument(
        "--quick",
        action="store_true",
        help=f"a look in a minute: one round of {' '.join(map(_written, QUICK_SIZES))}",
    )
    parser.add_argument(
        "--output",
        type=Path,
        metavar="FILE.jsonl",
        help="file to which each measurement is added when it is done, one JSON object a line; "
        "what it holds already is not measured again, so a run that was stopped goes on",
    )
    return parser


def _size(text):
    parts = text.split(",")
    if len(parts) != 4:
        raise argparse.ArgumentTypeError(f"expected four integers B,Q,M,U. Received: {text}")
    return tuple(map(_positive, parts))


def _positive(text):
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a positive integer. Received: {text}")
    return int(text)


def _written(size):
    return ",".join(map(str, size))


if __name__ == "__main__":
    sys.exit(main())
