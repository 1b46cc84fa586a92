"""Time to quality: training time until a given BLEU on the validation set.

Each program trains on one core, one after the other, and its BLEU on the validation set is noted
with the training time so far: this package by its own command, after each epoch or as often as its
`--validations-per-epoch` says; OpenNMT-tf and JoeyNMT at the common shape (see `training_speed.py`)
with matrices that start uniform in [-0.1, 0.1], every half epoch, on bucketed batches of 64 pairs
of the same pieces.
"""

import argparse
import sys
from pathlib import Path

from peers import peer_programs
from quality_plot import plot
from quality_runs import finished, read, run_command, run_peer
from text_files import add_text_arguments, prepare

TARGETS = (25, 30, 33, 35, 37)
PEERS = ("opennmt-tf", "joeynmt")
OURS = peer_programs.OURS
EXPLANATION = """
What counts: the seconds of training steps with their input, of the process and by the clock. What
does not: starting, learning the pieces, translating the validation set, and in the peers writing
checkpoints; this package's checkpoints do count. BLEU is cased and detokenised (sacreBLEU, 13a),
of greedy translations, which each program makes by its own search.

A run ends at the highest of the targets, after --epochs, or when training has taken --minutes.
Each result is added to --output as it comes. Started again, runs that ended are not repeated; a
peer's goes on from its last checkpoint in --runs; this package's begins anew, because its clock
does not survive it. Runs with other settings are further rows, in the same file where it is given.

Examples:
  python benchmarks/time_to_quality.py --data data-env --runs runs-env --output quality.jsonl \\
      --source-train train.en --target-train train.de --source-validation val.en \\
      --target-validation val.de --plot quality.png > time_to_quality.md
  python benchmarks/time_to_quality.py ... --programs opennmt-tf --dropout 0 --learning-rate 0.001
  python benchmarks/time_to_quality.py ... --programs keras-bahdanau -- --preset small
"""


def main(arguments=None):
    options = _parser().parse_args(arguments)
    peer_programs.pin_to_one_core(options.core)
    peers = [name for name in options.programs if name != OURS]
    absent = peer_programs.absent_peers(peers, options.environments)
    for name in absent:
        command = peer_programs.install_command(name, options.environments)
        print(f"{name} is not installed: {command}", file=sys.stderr)
    try:
        prepare(options)
        for name in options.programs:
            if name in absent:
                continue
            label = label_of(name, options)
            if finished(label, options.output):
                print(f"{label}: measured before", file=sys.stderr)
            elif name == OURS:
                run_command(label, options, max(TARGETS))
            else:
                run_peer(label, name, options, max(TARGETS))
        results = read(options.output)
        if options.plot:
            plot(results, TARGETS, options.plot)
    except (OSError, RuntimeError, ValueError) as error:
        print(f"time_to_quality.py: {error}", file=sys.stderr)
        return 1
    print("\n".join(rows(results)))
    return 0


def label_of(name, options):
    """Returns the label of a run: the program and its settings."""
    if name == OURS:
        return " ".join([name, *options.arguments])
    return f"{name}, dropout {options.dropout:g}, learning rate {options.learning_rate:g}"


def rows(results):
    """Lines of two Markdown tables, of CPU-seconds and of seconds by the clock."""
    for title, key in (("CPU-seconds", "cpu_seconds"), ("seconds", "wall_seconds")):
        columns = [f"{title} until BLEU is", *map(str, TARGETS), "best BLEU", "after"]
        yield "| " + " | ".join(columns) + " |"
        yield "|---" + "|---:" * (len(columns) - 1) + "|"
        for label, found in results.items():
            best = max(found, key=lambda point: point["bleu"])
            cells = [label]
            for target in TARGETS:
                reached = [point[key] for point in found if point["bleu"] >= target]
                cells.append(f"{min(reached):.0f}" if reached else "-")
            cells += [f"{best['bleu']:.1f}", f"{best[key]:.0f}"]
            yield "| " + " | ".join(cells) + " |"
        yield ""


def _parser():
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog=EXPLANATION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_text_arguments(parser)
    parser.add_argument(
        "--programs", nargs="+", choices=(OURS, *PEERS), default=[OURS, *PEERS], metavar="NAME"
    )
    parser.add_argument("--runs", type=Path, required=True, metavar="DIR", help="for checkpoints")
    parser.add_argument("--output", type=Path, required=True, metavar="FILE.jsonl")
    parser.add_argument("--plot", type=Path, metavar="FILE.png")
    parser.add_argument("--core", type=int, help="the core that all run on (the first)")
    parser.add_argument("--epochs", type=float, default=12, help="most epochs of a peer (12)")
    parser.add_argument("--minutes", type=float, default=45, help="most CPU-minutes of a run (45)")
    parser.add_argument(
        "--every", type=float, default=0.5, help="epochs between a peer's translations (0.5)"
    )
    parser.add_argument("--dropout", type=float, default=0.2, help="of the peers (0.2)")
    parser.add_argument("--learning-rate", type=float, default=1e-3, help="of the peers (0.001)")
    parser.add_argument(
        "arguments",
        nargs="*",
        metavar="-- ARGUMENT",
        help="arguments of this package's `keras-bahdanau train`, after --",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
