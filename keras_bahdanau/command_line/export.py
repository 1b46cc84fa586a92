"""`keras-bahdanau export`."""

import sys
from pathlib import Path

from keras_bahdanau.command_line.parser import positive_integer

DESCRIPTION = """\
Export a trained model.

saved-model: one SavedModel with text in and text out for TensorFlow Serving, written to
  OUTPUT/1, with the signatures serving_default, translate_n_best and score.
litert: OUTPUT/translator.tflite with builtin operators only, its tokenizer, a manifest, and
  golden.jsonl, whose lines a port to another language must reproduce.
"""
EPILOG = """\
examples:
  keras-bahdanau export my-model --format saved-model --output served/translator
  keras-bahdanau export my-model --format litert --quantization int8 --output on-device
"""


def add_arguments(parser):
    parser.add_argument("model", metavar="DIR", help="a trained model directory")
    parser.add_argument(
        "--format", required=True, choices=("saved-model", "litert"), help="what to write"
    )
    parser.add_argument(
        "--output", metavar="DIR", required=True, help="a new or empty directory to write to"
    )
    parser.add_argument(
        "--quantization",
        choices=("float32", "int8"),
        default="float32",
        help="precision of the weights in the LiteRT file",
    )
    parser.add_argument(
        "--beam-width", type=positive_integer, default=5, help="fixed in what is exported"
    )


def run(arguments):
    from keras_bahdanau.command_line.models import open_trained_translator
    from keras_bahdanau.errors import InputError
    from keras_bahdanau.files import check_is_free

    if arguments.format == "saved-model" and arguments.quantization != "float32":
        raise InputError(
            "Expected --quantization float32 with --format saved-model. "
            f"Received: {arguments.quantization}"
        )
    check_is_free(arguments.output, leftovers_of="1")
    translator = open_trained_translator(arguments.model)
    if arguments.format == "saved-model":
        _saved_model(translator, arguments.output, beam_width=arguments.beam_width)
    else:
        _litert(
            translator,
            arguments.output,
            quantization=arguments.quantization,
            beam_width=arguments.beam_width,
        )


def export_chosen(translator, directory, choice, *, samples=()):
    """Writes the exports that a training run ends with, those that are not there yet.

    Args:
        translator: a `Translator`.
        directory: the model directory.
        choice: `both`, `saved-model`, `litert` or `none`.
        samples: source texts for the golden file.
    """
    directory = Path(directory)
    if choice in ("both", "saved-model") and not (directory / "saved-model" / "1").exists():
        _saved_model(translator, directory / "saved-model")
    if choice in ("both", "litert") and not (directory / "litert").exists():
        _litert(translator, directory / "litert", samples=samples)


def _saved_model(translator, output, **options):
    from keras_bahdanau.export.saved_model import export_saved_model

    _report("SavedModel", export_saved_model(translator, output, **options))


def _litert(translator, output, **options):
    from keras_bahdanau.export.litert import export_litert

    _report("LiteRT", export_litert(translator, output, **options))


def _report(kind, path):
    size = sum(file.stat().st_size for file in Path(path).rglob("*") if file.is_file())
    print(f"{kind}: {path} ({size / 1e6:.1f} MB)", file=sys.stderr)
