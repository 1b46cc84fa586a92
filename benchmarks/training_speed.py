"""Training speed and memory of this package and of other toolkits, at one shape.

All train on the same batches of 64 sentence pairs, at the same shape: joint vocabulary of 8000,
embedding 256, bidirectional GRU 256 a direction, decoder GRU 512, additive attention 256, readout
512, output untied, Adam. `peers/` has one small program for each; those of other packages run in
environments of their own: python benchmarks/peers/install.py all
"""

import argparse
import os
import platform
import sys
from pathlib import Path
from statistics import median

from peers import peer_programs
from speed_measurements import LIMIT, Case, measure_all
from text_files import add_text_arguments, prepare

PEERS = peer_programs.PEERS
OURS = peer_programs.OURS
ORDERS = ("random", "bucketed")
# Rows of this package beside the plain one: a name and training options.
VARIANTS = [("bfloat16", "precision=bfloat16")]
EXPLANATION = """
How it is measured: each measurement is a process of its own on one core, and the programs take
turns (A B C A B C ...), so that other work on the machine meets all of them. A process trains some
steps that do not count, because they compile, and then the steps that do. The machine's own rate
of a float32 matrix product is measured in the same rounds. The tables print medians:

  tokens/s     target tokens, without padding, a CPU-second
  to best peer tokens/s divided by those of the fastest other package
  MFLOP        useful operations a target token: the products of forward and backward pass on real
               tokens (`peers/peer_programs.py`)
  of limit     tokens/s times MFLOP, as a share of the rate of the matrix product
  wall/CPU     seconds by the clock divided by CPU-seconds: above 1, the core was shared
  MB           peak memory of the process
  weights      millions of them

The text is read once: the four files are needed only while --data holds no batches.

Examples:
  python benchmarks/training_speed.py --data data-env --output speed.jsonl \\
      --source-train train.en --target-train train.de \\
      --source-validation val.en --target-validation val.de > training_speed.md
  python benchmarks/training_speed.py --data data-env --peers keras-bahdanau opennmt-tf --quick
  python benchmarks/training_speed.py --data data-env --variant tied \\
      tie_embeddings=target readout_units=0
"""


def main(arguments=None):
    options = _parser().parse_args(arguments)
    peer_programs.pin_to_one_core(options.core)
    rounds = options.rounds or (1 if options.quick else 3)
    steps = (3, 5) if options.quick else (10, 30)
    absent = peer_programs.absent_peers(options.peers, options.environments)
    for name in absent:
        command = peer_programs.install_command(name, options.environments)
        print(f"{name} is not installed: {command}", file=sys.stderr)
    programs = {name: (name, ()) for name in options.peers if name not in absent}
    for name, *changes in [*VARIANTS, *options.variant] if OURS in options.peers else []:
        programs[f"{OURS}, {name}"] = (OURS, tuple(changes))
    cases = [
        Case(name, order, steps, changes, round)
        for round in range(1, rounds + 1)
        for order in options.orders
        for name, changes in [(LIMIT, ()), *programs.values()]
    ]
    try:
        prepare(options)
        results, failed = measure_all(cases, options)
    except (OSError, RuntimeError, ValueError) as error:
        print(f"training_speed.py: {error}", file=sys.stderr)
        return 1
    if LIMIT in failed:
        return 1
    machine = f"{platform.system()} {platform.machine()}, one core of {os.cpu_count()}"
    print(f"{machine}; rounds: {rounds}; steps: {steps[1]}")
    for dtype in ("float32", "bfloat16"):
        rates = [found[dtype] for case, found in results.items() if case.name == LIMIT]
        spread = f"{min(rates):.0f} to {max(rates):.0f}"
        print(f"matrix product in {dtype}: {median(rates):.1f} GFLOP/s ({spread})")
    for order in options.orders:
        print(f"\n{order} batches\n")
        print("\n".join(rows(order, programs, results)))
    if absent:
        print(f"\nnot installed, so not measured: {', '.join(absent)}")
    if failed:
        print(f"\nfailed: {', '.join(sorted(failed))}")
    return 1 if failed else 0


def rows(order, programs, results):
    """Lines of a Markdown table, one row for each program, the fastest first."""
    columns = ["program", "tokens/s", "least to most", "to best peer", "MFLOP", "of limit"]
    columns += ["wall/CPU", "MB", "weights"]
    yield "| " + " | ".join(columns) + " |"
    yield "|---" + "|---:" * (len(columns) - 1) + "|"
    limit = median(found["float32"] for case, found in results.items() if case.name == LIMIT)
    measured = {}
    for program, (name, changes) in programs.items():
        measured[program] = [
            found
            for case, found in results.items()
            if (case.name, case.changes, case.order) == (name, changes, order)
        ]
    speeds = {program: median(map(_speed, found)) for program, found in measured.items() if found}
    others = [speed for program, speed in speeds.items() if programs[program][0] != OURS]
    for program in sorted(speeds, key=speeds.get, reverse=True):
        name, changes = programs[program]
        found, speed = measured[program], speeds[program]
        operations = _products(name, changes).operations(
            *(found[0][key] for key in ("source_tokens", "target_tokens", "attended_pairs"))
        )
        per_token = operations / found[0]["target_tokens"]
        each = sorted(map(_speed, found))
        cells = [
            f"{program} ({PEERS[name].packages})",
            f"{speed:.0f}",
            f"{each[0]:.0f} to {each[-1]:.0f}",
            f"{speed / max(others):.2f}" if others else "-",
            f"{per_token / 1e6:.1f}",
            f"{speed * per_token / limit / 1e9:.0%}",
            f"{median(one['wall_seconds'] / one['cpu_seconds'] for one in found):.2f}",
            f"{median(one['peak_megabytes'] for one in found):.0f}",
            f"{found[0]['weights'] / 1e6:.1f}",
        ]
        yield "| " + " | ".join(cells) + " |"


def _speed(found):
    return found["target_tokens"] / found["cpu_seconds"]


def _products(name, changes):
    if not changes:
        return PEERS[name].products
    widths = {"embedding_dim": 256, "encoder_units": 256, "decoder_units": 512}
    widths |= {"attention_units": 256, "readout_units": 512}
    for option, _, value in (change.partition("=") for change in changes):
        if option in widths:
            widths[option] = int(value)
    embedding, encoder, decoder, attention, readout = widths.values()
    return peer_programs.additive_products(
        embedding=embedding,
        encoder=encoder,
        decoder=decoder,
        attention=attention,
        readout=readout or embedding,
        readout_inputs=decoder + 2 * encoder + embedding,
        fed=2 * encoder,
    )


def _parser():
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog=EXPLANATION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_text_arguments(parser)
    parser.add_argument("--peers", nargs="+", choices=PEERS, default=list(PEERS), metavar="NAME")
    parser.add_argument(
        "--variant",
        nargs="+",
        action="append",
        default=[],
        metavar=("NAME", "OPTION=VALUE"),
        help="one more row of this package, with other training options; as often as wanted",
    )
    parser.add_argument("--orders", nargs="+", choices=ORDERS, default=ORDERS)
    parser.add_argument("--rounds", type=int, help="processes for each program and order (3)")
    parser.add_argument("--core", type=int, help="the core that all run on (the first)")
    parser.add_argument(
        "--quick", action="store_true", help="a look: one round of 5 steps instead of 3 of 30"
    )
    parser.add_argument(
        "--output",
        type=Path,
        metavar="FILE.jsonl",
        help="file to which each measurement is added when it is done, one JSON object a line; "
        "what it holds already is not measured again, so a run that was stopped goes on",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
