"""`keras-bahdanau demo`: train, evaluate, export and translate on the built-in corpus."""

import shlex
import sys
import time
from pathlib import Path

from keras_bahdanau.command_line.lines import print_line

DESCRIPTION = """\
Everything once, on the built-in corpus (English to Spanish): train a translator, report BLEU on a
held-out test set, export a SavedModel and a LiteRT file, translate with all three, and draw the
attention. Needs no network and takes some minutes on two cores. After an interruption, the same
command resumes.
"""
EPILOG = """\
example:
  keras-bahdanau demo --output my-demo
"""
SENTENCE = "The girl did not want to buy the red shoes."
TRANSLATORS = {"Keras": ".", "SavedModel": "saved-model/1", "LiteRT": "litert"}


def add_arguments(parser):
    parser.add_argument("--output", metavar="DIR", required=True, help="the model directory")
    parser.add_argument("--no-progress", action="store_true", help="draw no progress bars")


def run(arguments):
    from keras_bahdanau.alignments import write_alignments
    from keras_bahdanau.command_line.train import train_and_export
    from keras_bahdanau.loading import open_translator
    from keras_bahdanau.training import preset_options
    from keras_bahdanau.training.corpora.named import BUILT_IN, named_splits

    started, output = time.monotonic(), Path(arguments.output)
    splits = named_splits(BUILT_IN)
    for source, target in splits.train[:3]:
        print(f"  {source}  →  {target}", file=sys.stderr)
    _, metrics = train_and_export(
        splits,
        preset_options("tiny"),
        output,
        export="both",
        show_progress=not arguments.no_progress,
    )
    print_line(f"English: {SENTENCE}")
    for name, path in TRANSLATORS.items():
        is_drawn = name == "Keras"
        ((best,),), _ = open_translator(output / path).translate_n_best(
            [SENTENCE], return_alignments=is_drawn
        )
        print_line(f"{name}: {best.text}")
        if is_drawn:
            alignment = best.word_alignment(keep_ends=True)
    for suffix in ("png", "html"):
        write_alignments(output / f"attention.{suffix}", [alignment])
    print_line(f"test BLEU: {metrics['test_bleu']}")
    print_line(f"attention: {output / 'attention.png'}, {output / 'attention.html'}")
    print_line(f"seconds: {time.monotonic() - started:.0f}")
    directory = shlex.quote(str(output))
    print_line(f'next: keras-bahdanau translate {directory} "We are reading an interesting book."')
