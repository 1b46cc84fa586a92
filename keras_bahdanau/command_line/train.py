"""`keras-bahdanau train`."""

import dataclasses
import sys

from keras_bahdanau.training.options import DEFAULT_PRESET, PRESET_HELP, TrainingOptions
from keras_bahdanau.training.splits import CORPUS_NAMES

DESCRIPTION = """\
Train a translator. The text comes from two parallel files for each split (line n of one is the
translation of line n of the other; plain or .gz), from one TSV file for each (source, tab,
target), or from a named corpus. After each epoch the validation set is translated; the weights
with the best BLEU are kept. The run ends with the exports.

Killed or interrupted, the same command goes on where it was, and ends with the same weights.
"""
EPILOG = f"""\
presets:
{chr(10).join(f"  {name:8}{text}" for name, text in PRESET_HELP.items())}

examples:
  keras-bahdanau train --source-train train.en --target-train train.de \\
      --source-validation val.en --target-validation val.de --output my-model
  keras-bahdanau train --train train.tsv --validation val.tsv --output my-model
  keras-bahdanau train --corpus multi30k-en-de --output my-model
"""
# Validation texts in the golden file of the LiteRT export.
GOLDEN_SAMPLES = 20


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
    options = parser.add_argument_group("options (the preset's values where none is given)")
    options.add_argument("--preset", choices=PRESET_HELP, default=DEFAULT_PRESET, help="see below")
    for field in dataclasses.fields(TrainingOptions):
        options.add_argument(
            f"--{field.name.replace('_', '-')}",
            type=field.type,
            choices=field.metadata["choices"],
            metavar=None if field.metadata["choices"] else "N",
            help=f"{field.metadata['help']} ({DEFAULT_PRESET}: {field.default})",
        )


def add_export_choice(parser):
    """The option that says which exports a run ends with."""
    parser.add_argument(
        "--export",
        choices=("both", "saved-model", "litert", "none"),
        default="both",
        help="what the run ends with: DIR/saved-model/1 and DIR/litert",
    )


def _add_files(parser, split, text):
    for side in ("source", "target"):
        parser.add_argument(f"--{side}-{split}", metavar="F", help=f"{side} text {text}")
    parser.add_argument(f"--{split}", metavar="F.tsv", help="or both in one TSV file")


def run(arguments):
    from keras_bahdanau.training.options import preset_options

    changes = {
        field.name: getattr(arguments, field.name)
        for field in dataclasses.fields(TrainingOptions)
        if getattr(arguments, field.name) is not None
    }
    options = preset_options(arguments.preset, **changes)
    splits = _splits(arguments)
    train_and_export(
        splits,
        options,
        arguments.output,
        export=arguments.export,
        show_progress=not arguments.no_progress,
    )
    print(
        f'next: keras-bahdanau translate {arguments.output} "A sentence of yours."', file=sys.stderr
    )


def train_and_export(splits, options, directory, *, export, show_progress):
    """Trains, exports as chosen, and returns the translator and its metrics."""
    from keras_bahdanau.quiet import import_tensorflow_quietly

    import_tensorflow_quietly()

    from keras_bahdanau.command_line.export import export_chosen
    from keras_bahdanau.training.train import train

    translator, metrics = train(splits, options, directory, show_progress=show_progress)
    samples = [source for source, _ in splits.validation[:GOLDEN_SAMPLES]]
    export_chosen(translator, directory, export, samples=samples)
    return translator, metrics


def _splits(arguments):
    from keras_bahdanau.errors import InputError
    from keras_bahdanau.training.splits import file_splits, named_splits

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
