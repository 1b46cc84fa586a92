"""`keras-bahdanau train`."""

import sys

from keras_bahdanau.command_line.parser import add_option_arguments, given_options
from keras_bahdanau.training import TrainingOptions
from keras_bahdanau.training.corpora.named import CORPUS_NAMES
from keras_bahdanau.training.presets import DEFAULT_PRESET, PRESETS

PRESET_WIDTH = max(map(len, PRESETS)) + 2
# Rows of the corpus report; --clean leaves out those with a star.
FINDINGS = """\
  - one side is blank (always left out)
  * duplicate pair
  - duplicate source with another target
  * the target is a copy of the source
  * source or target in another script than most of its side (more than half of its letters)
  * the source is in the validation or test set, up to case and white space
  * the pair is in the validation or test set, up to case and white space
  * the sides differ in length by more than --max-length-ratio
  - one side is longer than --max-length (left out with --long-pairs drop, else an error)
"""
DESCRIPTION = """\
Train a translator on parallel text: two files for each split (line n of one is the translation of
line n of the other; plain or .gz), one TSV file for each split (source, tab, target), or a named
corpus. After each epoch, or more often (--validations-per-epoch), the validation set is translated;
the weights with the best BLEU are kept and exported at the end.

After a kill or interruption, the same command resumes from the last checkpoint and ends with the
same weights.
"""
EPILOG = f"""\
corpus report: before training, a table counts doubtful training pairs by kind, with the numbers of
their first lines and whether they are kept; it is saved as DIR/checkpoints/corpus_report.json.
--clean leaves out the kinds with a star:
{FINDINGS}
presets:
{chr(10).join(f"  {name:{PRESET_WIDTH}}{preset.description}" for name, preset in PRESETS.items())}

several machines: run the same command on all of them at the same time, with an output directory on
a shared file system and with TF_CONFIG in the environment: the addresses of all machines in the
same order, and the index of this one; here the first of two:
  TF_CONFIG='{{"cluster": {{"worker": ["host-0:2222", "host-1:2222"]}},
    "task": {{"type": "worker", "index": 0}}}}' keras-bahdanau train ...
Each batch is split over them (--batch-size is the global batch size); the first one writes. When
one of them stops, all stop; the same commands resume from the last checkpoint.

examples:
  keras-bahdanau train --source-train train.en --target-train train.de \\
      --source-validation val.en --target-validation val.de --output my-model
  keras-bahdanau train --train train.tsv --validation val.tsv --output my-model
  keras-bahdanau train --corpus multi30k-en-de --output my-model
"""


def add_arguments(parser):
    corpus = parser.add_argument_group("text")
    corpus.add_argument("--corpus", choices=CORPUS_NAMES, help="named corpus")
    for split, text in (
        ("train", "to train on"),
        ("validation", "to select weights by BLEU"),
        ("test", "to evaluate at the end"),
    ):
        for side in ("source", "target"):
            corpus.add_argument(f"--{side}-{split}", metavar="F", help=f"{side} text {text}")
        corpus.add_argument(f"--{split}", metavar="F.tsv", help="or both in one TSV file")
    output = parser.add_argument_group("output")
    output.add_argument("--output", metavar="DIR", required=True, help="the model directory")
    output.add_argument(
        "--export",
        choices=("both", "saved-model", "litert", "none"),
        default="both",
        help="exports at the end, to DIR/saved-model/1 and DIR/litert; they need TensorFlow",
    )
    output.add_argument("--no-progress", action="store_true", help="draw no progress bars")
    output.add_argument(
        "--devices",
        type=int,
        metavar="N",
        default=1,
        help="GPUs of each machine over which a batch is split; several machines: see below",
    )
    options = parser.add_argument_group("options (defaults: those of the preset)")
    options.add_argument("--preset", choices=PRESETS, default=DEFAULT_PRESET, help="see below")
    add_option_arguments(
        options, TrainingOptions, lambda field: f" ({DEFAULT_PRESET}: {field.default})"
    )


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
        following = f'keras-bahdanau translate {arguments.output} "Your own sentence."'
        print(f"next: {following}", file=sys.stderr)


def train_and_export(splits, options, directory, *, export, show_progress, devices=1):
    """Trains and exports. Returns the translator and its metrics."""
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
