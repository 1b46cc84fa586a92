"""`keras-bahdanau train`."""

import sys

from keras_bahdanau.command_line.parser import add_option_arguments, given_options
from keras_bahdanau.training import TrainingOptions
from keras_bahdanau.training.corpora.named import CORPUS_NAMES
from keras_bahdanau.training.presets import DEFAULT_PRESET, PRESETS

PRESET_WIDTH = max(map(len, PRESETS)) + 2
# What the corpus report counts; with a star what --clean leaves out.
FINDINGS = """\
  - a side is blank (always left out)
  * the pair repeats an earlier one
  - the source repeats an earlier one, with another target
  * the target is a copy of the source
  * the source, or the target, is not in the script of most sources, or targets (more than half
    of its letters belong to one other script)
  * the source is a source of the validation or test set, case and white space aside
  * the pair is a pair of the validation or test set, case and white space aside
  * a side is more than --max-length-ratio times as long as the other
  - a side is longer than --max-length (left out with --long-pairs drop, else an error)
"""
DESCRIPTION = """\
Train a translator. The text comes from two parallel files for each split (line n of one is the
translation of line n of the other; plain or .gz), from one TSV file for each (source, tab,
target), or from a named corpus. After each epoch, or more often (--validations-per-epoch), the
validation set is translated; the weights with the best BLEU are kept. The run ends with the
exports.

Killed or interrupted, the same command goes on where it was, and ends with the same weights.
"""
EPILOG = f"""\
corpus report: before training, a table says how many training pairs there are of each kind, on
which lines the first ones stand, and what becomes of them; DIR/checkpoints/corpus_report.json
keeps it. With --clean, the kinds with a star are left out:
{FINDINGS}
presets:
{chr(10).join(f"  {name:{PRESET_WIDTH}}{preset.description}" for name, preset in PRESETS.items())}

several machines: run the same command on each of them at the same time, with an output directory
that all of them see, and with TF_CONFIG in the environment, which names all of them in the same
order and says which one it is; here the first of two:
  TF_CONFIG='{{"cluster": {{"worker": ["host-0:2222", "host-1:2222"]}},
    "task": {{"type": "worker", "index": 0}}}}' keras-bahdanau train ...
They share each batch (--batch-size is that of all together); the first one writes. When one of
them ends, all do; run again on all, they go on from the last checkpoint.

examples:
  keras-bahdanau train --source-train train.en --target-train train.de \\
      --source-validation val.en --target-validation val.de --output my-model
  keras-bahdanau train --train train.tsv --validation val.tsv --output my-model
  keras-bahdanau train --corpus multi30k-en-de --output my-model
"""


def add_arguments(parser):
    corpus = parser.add_argument_group("text")
    corpus.add_argument("--corpus", choices=CORPUS_NAMES, help="a named corpus")
    for split, text in (("train", "to learn from"), ("validation", "to choose by")):
        _add_files(corpus, split, text)
    _add_files(corpus, "test", "to report on at the end")
    output = parser.add_argument_group("output")
    output.add_argument("--output", metavar="DIR", required=True, help="the model directory")
    add_export_choice(output)
    output.add_argument("--no-progress", action="store_true", help="draw no progress bars")
    output.add_argument(
        "--devices",
        type=int,
        metavar="N",
        default=1,
        help="GPUs of each machine that share every batch (1); several machines: see below",
    )
    options = parser.add_argument_group("options (the preset's values where none is given)")
    options.add_argument("--preset", choices=PRESETS, default=DEFAULT_PRESET, help="see below")
    add_option_arguments(
        options, TrainingOptions, lambda field: f" ({DEFAULT_PRESET}: {field.default})"
    )


def add_export_choice(parser):
    """The option that says which exports a run ends with."""
    parser.add_argument(
        "--export",
        choices=("both", "saved-model", "litert", "none"),
        default="both",
        help="what the run ends with: DIR/saved-model/1 and DIR/litert; they take TensorFlow",
    )


def _add_files(parser, split, text):
    for side in ("source", "target"):
        parser.add_argument(f"--{side}-{split}", metavar="F", help=f"{side} text {text}")
    parser.add_argument(f"--{split}", metavar="F.tsv", help="or both in one TSV file")


def run(arguments):
    from keras_bahdanau.training import preset_options

    changes = given_options(arguments, TrainingOptions)
    options = preset_options(arguments.preset, **changes)
    splits = _splits(arguments)
    train_and_export(
        splits,
        options,
        arguments.output,
        export=arguments.export,
        devices=arguments.devices,
        show_progress=not arguments.no_progress,
    )
    from keras_bahdanau.training.distribution import is_chief

    if is_chief():
        following = f'keras-bahdanau translate {arguments.output} "A sentence of yours."'
        print(f"next: {following}", file=sys.stderr)


def train_and_export(splits, options, directory, *, export, show_progress, devices=1):
    """Trains, exports as chosen, and returns the translator and its metrics."""
    from keras_bahdanau.quiet import import_keras_quietly

    import_keras_quietly()

    from keras_bahdanau.command_line.export import export_chosen
    from keras_bahdanau.training import train
    from keras_bahdanau.training.distribution import is_chief

    translator, metrics = train(
        splits, options, directory, devices=devices, show_progress=show_progress
    )
    if is_chief():
        export_chosen(translator, directory, export, validation=splits.validation)
    return translator, metrics


def _splits(arguments):
    from keras_bahdanau.errors import InputError
    from keras_bahdanau.training.corpora.named import named_splits
    from keras_bahdanau.training.data.splits import file_splits

    names = [
        f"{side}{split}"
        for split in ("train", "validation", "test")
        for side in ("", "source_", "target_")
    ]
    files = {name: getattr(arguments, name) for name in names}
    if not arguments.corpus:
        return file_splits(files)
    if any(files.values()):
        raise InputError("Expected --corpus or files. Received: both")
    return named_splits(arguments.corpus)
