"""Decoding speed: CPU-milliseconds per sentence, of this package and of other toolkits.

The peers have the common shape (joint vocabulary of 8000, embedding 256, bidirectional GRU 256 a
direction, decoder GRU 512, additive attention 256, output untied) and are trained for some steps
first, so that their translations have realistic lengths. They translate ids to ids. This package
translates text to text with its tokenizer: in Python, and as a SavedModel through TensorFlow's C++
loader. `peers/` has one program for each; those of other packages run in environments of their own:
python benchmarks/peers/install.py all
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path
from statistics import median

from decoding_limits import limits
from peers import peer_programs
from text_files import BATCHES_FILE, add_text_arguments, prepare

from keras_bahdanau.command_line import main as keras_bahdanau

PEERS = ("tensorflow-addons", "opennmt-tf", "opennmt-py", "joeynmt")
# Beam width, batch size, and how many sentences are translated.
COLUMNS = {
    "greedy, batch 1": (1, 1, 200),
    "greedy, batch 64": (1, 64, 1000),
    "beam 5, batch 1": (5, 1, 200),
    "beam 5, batch 64": (5, 64, 1000),
}
# Training of the peers.
DROPOUT = 0.2
OURS = "decode_keras_bahdanau.py"
EXPLANATION = """
How it is measured: each number is a process of its own on one core, which loads a model, translates
some sentences that do not count, because they compile, and then those that do; the programs take
turns, round after round, and the table has medians of CPU-milliseconds a sentence. Sentences are
sorted by length; beam search divides log-probabilities by lengths. Behind ours, in brackets, how
many times as fast it is as the fastest peer in that column.

--model NAME=DIR is a model directory that `keras-bahdanau train` made, as often as wanted. For the
common shape:
  keras-bahdanau train ... --vocabulary-size 8000 --decoder-units 512 --readout-units 512 \\
      --order before --tie-embeddings none --output common

The sentences are those of --source-validation, and --data has them in ids: make it of the test set.

Example:
  python benchmarks/decoding_speed.py --data data-env --runs runs-env --output decoding.jsonl \\
      --source-train train.en --target-train train.de --source-validation test.en \\
      --target-validation test.de --model common=common --model recommended=my-model
"""


def main(arguments=None):
    options = _parser().parse_args(arguments)
    peer_programs.pin_to_one_core(options.core)
    absent = peer_programs.absent_peers(options.programs, options.environments)
    for name in absent:
        command = peer_programs.install_command(name, options.environments)
        print(f"{name} is not installed: {command}", file=sys.stderr)
    peers = [name for name in options.programs if name not in absent]
    try:
        prepare(options)
        for name in peers:
            _train(name, options)
        with tempfile.TemporaryDirectory() as directory:
            rows = {name: _peer(name, options) for name in peers}
            rows |= _ours(options, Path(directory))
            results = _measure(rows, options)
    except (OSError, RuntimeError, ValueError) as error:
        print(f"decoding_speed.py: {error}", file=sys.stderr)
        return 1
    print("\n".join(table(results, peers)))
    print()
    print("\n".join(limits(results, options)))
    return 0


def table(results, peers):
    """Lines of a Markdown table."""
    times = {
        key: median(1e3 * found["cpu_seconds"] / found["sentences"] for found in each)
        for key, each in results.items()
    }
    rows = list(dict.fromkeys(row for row, _ in times))
    yield "| CPU milliseconds a sentence | " + " | ".join(COLUMNS) + " |"
    yield "|---" + "|---:" * len(COLUMNS) + "|"
    for row in rows:
        cells = [row]
        for column in COLUMNS:
            cell = f"{times[row, column]:.1f}"
            others = [times[peer, column] for peer in peers]
            if others and row not in peers:
                cell += f" ({min(others) / times[row, column]:.1f})"
            cells.append(cell)
        yield "| " + " | ".join(cells) + " |"


def _train(name, options):
    """Trains a peer, unless it is trained."""
    peer, state = peer_programs.PEERS[name], options.runs / name
    if list(state.glob(f"step-{options.steps}/*")):
        return
    print(f"{name}: training {options.steps} steps", file=sys.stderr)
    arguments = [options.data / BATCHES_FILE, "--steps", options.steps, "--state", state]
    arguments += ["--evaluate-every", options.steps, "--dropout", DROPOUT]
    peer_programs.last_line(peer.program, peer.environment, options.environments, arguments)


def _peer(name, options):
    """A function of a column's beam, batch and sentences that returns program and arguments."""
    peer = peer_programs.PEERS[name]
    # OpenNMT-tf gives the weights of a model with dropout other names.
    fixed = [options.data / BATCHES_FILE, "--state", options.runs / name, "--dropout", DROPOUT]
    return lambda beam, batch, count: (
        (peer.program, peer.environment),
        [*fixed, "--decode", beam, batch, "--sentences", count],
    )


def _ours(options, directory):
    rows = {}
    for name, model in options.model:
        exports = {}
        for beam_width in {beam_width for beam_width, _, _ in COLUMNS.values()}:
            exports[beam_width] = directory / name / str(beam_width)
            command = ["export", model, "--format=saved-model", "--output", exports[beam_width]]
            if keras_bahdanau([*map(str, command), f"--beam-width={beam_width}", "--n-best=1"]):
                raise RuntimeError(f"{model} could not be exported")

        def translator(beam, batch, count, model=model):
            return _our_call("translator", model, options, beam, batch, count)

        def saved_model(beam, batch, count, exports=exports):
            return _our_call("saved-model", exports[beam] / "1", options, beam, batch, count)

        rows |= {f"{name}, Python": translator, f"{name}, SavedModel": saved_model}
    return rows


def _our_call(interface, model, options, beam, batch, count):
    arguments = [model, "--interface", interface, "--source", options.source_validation]
    arguments += ["--decode", beam, batch, "--sentences", count]
    return (OURS, peer_programs.OWN_ENVIRONMENT), arguments


def _measure(rows, options):
    """Lists of what the programs printed, by row and column; each is added to the output file."""
    results, known = {}, {}
    if options.output.exists():
        for line in options.output.read_text(encoding="utf-8").splitlines():
            found = json.loads(line)
            known[found["row"], found["column"], found["round"]] = found
    for number in range(1, options.rounds + 1):
        for column, (beam, batch, count) in COLUMNS.items():
            for row, call in rows.items():
                found = known.get((row, column, number))
                if not found:
                    (program, environment), arguments = call(beam, batch, count)
                    found = peer_programs.last_line(
                        program, environment, options.environments, arguments
                    )
                    found |= {"row": row, "column": column, "round": number}
                    with options.output.open("a", encoding="utf-8") as file:
                        file.write(json.dumps(found) + "\n")
                milliseconds = 1e3 * found["cpu_seconds"] / found["sentences"]
                print(f"round {number}, {column}, {row}: {milliseconds:.1f} ms", file=sys.stderr)
                results.setdefault((row, column), []).append(found)
    return results


def _model(text):
    name, _, directory = text.partition("=")
    if not name or not Path(directory, "config.json").is_file():
        raise argparse.ArgumentTypeError(f"expected NAME=DIR of a trained model, received {text}")
    return name, Path(directory)


def _parser():
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog=EXPLANATION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_text_arguments(parser)
    parser.add_argument("--programs", nargs="*", choices=PEERS, default=PEERS, metavar="NAME")
    parser.add_argument("--model", type=_model, action="append", default=[], metavar="NAME=DIR")
    parser.add_argument("--runs", type=Path, required=True, metavar="DIR", help="for the peers")
    parser.add_argument("--output", type=Path, required=True, metavar="FILE.jsonl")
    parser.add_argument("--steps", type=int, default=900, help="of a peer's training (900)")
    parser.add_argument("--rounds", type=int, default=2, help="(2)")
    parser.add_argument("--core", type=int, help="the core that all run on (the first)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
