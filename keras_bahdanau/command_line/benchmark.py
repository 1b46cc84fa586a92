"""`keras-bahdanau benchmark`."""

import sys

from keras_bahdanau.command_line.lines import is_terminal, print_line, source_lines
from keras_bahdanau.command_line.parser import positive_integer

DESCRIPTION = """\
Measure exported LiteRT directories on this machine, without TensorFlow or Keras: latency of each
signature for one sentence, time to load, and memory. Each row of the table is measured in a process
of its own, one after the other.

  file MB    translator.tflite
  load ms    reading, checking and opening the directory
  first ms   first call, which allocates the signature's tensors
  median ms  one call, without tokenization: encode, translate (greedy) and translate_beam one
             sentence, decode_step one token
  p95 ms     95th percentile
  MB before  memory of the process before it opens the directory: Python and its libraries
  peak MB    peak memory of the process

Latency depends on sentence length: give your own texts with --texts. Other programs on the machine
disturb it; compare the medians of two runs.
"""
EPILOG = """\
examples:
  keras-bahdanau benchmark my-model/litert
  keras-bahdanau benchmark my-model/litert on-device-int8 --texts test.en
  keras-bahdanau benchmark my-model/litert --threads 1 2 4 --signatures translate translate_beam
  keras-bahdanau benchmark my-model/litert --api interpreter compiled-model --json report.json
"""
SIGNATURES = ("encode", "decode_step", "translate", "translate_beam")
APIS = ("interpreter", "compiled-model")


def add_arguments(parser):
    parser.add_argument(
        "directories",
        metavar="DIR",
        nargs="+",
        help="exported LiteRT directory or its translator.tflite; several are compared",
    )
    parser.add_argument(
        "--signatures",
        choices=SIGNATURES,
        nargs="+",
        default=SIGNATURES,
        metavar="NAME",
        help="signatures to run",
    )
    parser.add_argument(
        "--threads",
        type=positive_integer,
        nargs="+",
        default=[1],
        metavar="N",
        help="numbers of threads",
    )
    parser.add_argument(
        "--api",
        choices=APIS,
        nargs="+",
        default=APIS[:1],
        metavar="NAME",
        help=f"LiteRT interfaces: {', '.join(APIS)}",
    )
    parser.add_argument(
        "--texts",
        metavar="FILE",
        help="text file, plain or .gz (default: the texts of the first DIR's golden.jsonl)",
    )
    parser.add_argument(
        "--repeats", type=positive_integer, default=5, metavar="N", help="passes over the texts"
    )
    parser.add_argument(
        "--warm-up",
        type=positive_integer,
        default=1,
        metavar="N",
        help="unmeasured passes before them",
    )
    parser.add_argument("--json", metavar="FILE", help="write all measurements to a file")


def run(arguments):
    import json
    from functools import partial

    from tqdm import tqdm

    from keras_bahdanau.export.device_benchmark import benchmark, markdown
    from keras_bahdanau.files import atomic_path

    texts = list(source_lines(arguments.texts, [])) if arguments.texts else None
    watch = partial(
        tqdm, desc="measuring", unit=" processes", disable=not is_terminal(sys.stderr), leave=False
    )
    report = benchmark(
        arguments.directories,
        texts,
        apis=arguments.api,
        threads=arguments.threads,
        signatures=arguments.signatures,
        repeats=arguments.repeats,
        warm_up=arguments.warm_up,
        watch=watch,
    )
    for line in markdown(report).splitlines():
        print_line(line)
    if arguments.json:
        with atomic_path(arguments.json) as path:
            path.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
