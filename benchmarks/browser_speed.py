"""Latency per sentence in Chromium, in Node, and natively.

Each goes from text to text, one sentence at a time, with the same exported LiteRT directory:
natively through `keras_bahdanau.export.runtime` on one thread, elsewhere through examples/web/ in
one thread of its own. "Token by token" is `encode` and `decode_step`, what the page does; the other
two are `translate` and `translate_beam`. Rounds of the programs alternate, to even out other load
on the machine. The latency of a sentence is the minimum over the rounds, that of a program the
median over its sentences.

Install the example's packages first: npm ci --prefix examples/web
"""

import argparse
import json
import shutil
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

from keras_bahdanau.export.runtime import LiteTranslator

PROGRAM = Path(__file__).with_suffix(".mjs")
NATIVE = "native"
WARM_UP = 60


def main(arguments=None):
    options = _parser().parse_args(arguments)
    texts = options.sentences.read_text(encoding="utf-8").splitlines()[: options.count]
    programs = {NATIVE: lambda: _native(options.exported, texts)}
    programs["Node"] = lambda: _other("node", options.exported, texts)
    if options.browser:
        programs["Chromium"] = lambda: _other(options.browser, options.exported, texts)
    found = {name: [] for name in programs}
    try:
        for _ in range(options.rounds):
            for name, program in programs.items():
                found[name].append(program())
    except (OSError, RuntimeError, ValueError) as error:
        print(f"browser_speed.py: {error}", file=sys.stderr)
        return 1
    print("\n".join(table(found)))
    return 0


def table(found):
    """Lines of a Markdown table.

    Args:
        found: dict of a program's name to its rounds, each a dict of a way to translate to its
            `milliseconds` and `translations`.
    """
    ways = list(found[NATIVE][0])
    yield "| median ms a sentence | " + " | ".join(ways) + " |"
    yield "|---" + "|---:" * len(ways) + "|"
    medians = {
        name: [
            median(map(min, zip(*(each[way]["milliseconds"] for each in rounds), strict=True)))
            for way in ways
        ]
        for name, rounds in found.items()
    }
    for name, rounds in found.items():
        cells = []
        for way, own, native in zip(ways, medians[name], medians[NATIVE], strict=True):
            expected = found[NATIVE][0][way]["translations"]
            received = rounds[0][way]["translations"]
            same = sum(map(str.__eq__, expected, received))
            more = "" if name == NATIVE else f" ({own / native:.1f}×, {same} of {len(expected)})"
            cells.append(f"{own:.2f}{more}")
        yield f"| {name} | " + " | ".join(cells) + " |"
    yield ""
    yield "In brackets: the ratio to native, and how many translations are the native ones."


def _native(exported, texts):
    translator = LiteTranslator(exported, num_threads=1)
    ways = {
        "greedy": lambda text: translator.translate([text], beam_width=1)[0],
        "beam": lambda text: translator.translate([text])[0],
        "token by token": lambda text: "".join(translator.stream(text)),
    }
    found = {}
    for name, translate in ways.items():
        for text in texts[:WARM_UP]:
            translate(text)
        found[name] = {"milliseconds": [], "translations": []}
        for text in texts:
            start = time.perf_counter()
            found[name]["translations"].append(translate(text))
            found[name]["milliseconds"].append(1000 * (time.perf_counter() - start))
    return found


def _other(where, exported, texts):
    done = subprocess.run(
        ["node", str(PROGRAM), str(exported), where],
        input=json.dumps(texts),
        capture_output=True,
        encoding="utf-8",
    )
    if done.returncode:
        raise RuntimeError(f"{PROGRAM.name} ended with exit code {done.returncode}.\n{done.stderr}")
    return json.loads(done.stdout)


def _parser():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("exported", type=Path, help="an exported LiteRT directory")
    parser.add_argument("sentences", type=Path, help="a file with one sentence a line")
    parser.add_argument("--count", type=int, default=200, help="sentences (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=3, help="(default: %(default)s)")
    parser.add_argument(
        "--browser",
        default=shutil.which("chromium"),
        help="path of a Chromium (default: %(default)s)",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
