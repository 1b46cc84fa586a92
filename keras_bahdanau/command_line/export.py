"""`keras-bahdanau export`."""

import os
import shlex
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

from keras_bahdanau.command_line.parser import add_search_options, search_options

DESCRIPTION = """\
Export a trained model.

saved-model: one SavedModel with text in and text out for TensorFlow Serving, with the signatures
  serving_default, translate_n_best and score. OUTPUT is the base path that a server watches: the
  model is written to OUTPUT/1, beside earlier versions to the next number, and appears there whole
  or not at all. What is said of the search is fixed in it and recorded.
litert: OUTPUT/translator.tflite with builtin operators only, its tokenizer, a manifest, and
  golden.jsonl and tokenizer_vectors.jsonl, whose lines a port to another language must reproduce.
"""
EPILOG = """\
examples:
  keras-bahdanau export my-model --format saved-model --output served/translator
  keras-bahdanau export my-model --format saved-model --output served/translator \\
      --beam-width 8 --n-best 3 --max-length 60
  keras-bahdanau export my-model --format litert --quantization int8 --output on-device
"""


def add_arguments(parser):
    parser.add_argument("model", metavar="DIR", help="a trained model directory")
    parser.add_argument(
        "--format", required=True, choices=("saved-model", "litert"), help="what to write"
    )
    parser.add_argument(
        "--output",
        metavar="DIR",
        required=True,
        help="a new or empty directory to write to, or one of earlier SavedModel versions",
    )
    parser.add_argument(
        "--quantization",
        choices=("float32", "int8"),
        default="float32",
        help="precision of the weights in the LiteRT file",
    )
    parser.add_argument(
        "--samples", metavar="F", help="source texts for golden.jsonl, beside those of the package"
    )
    parser.add_argument(
        "--serving-version",
        choices=("2.15", "2.20"),
        default="2.15",
        help="the oldest TensorFlow Serving that has to run the SavedModel: the export fails if it "
        "has an operation that this server lacks",
    )
    add_search_options(parser, "search", "fixed in the export; litert: --beam-width alone")


def run(arguments):
    from keras_bahdanau.command_line.models import open_trained_translator
    from keras_bahdanau.errors import InputError
    from keras_bahdanau.files import check_is_free
    from keras_bahdanau.training.corpora.parallel_text import lines
    from keras_bahdanau.version_directories import next_version

    search = search_options(arguments)
    if arguments.format == "saved-model" and arguments.quantization != "float32":
        raise InputError(
            "Expected --quantization float32 with --format saved-model. "
            f"Received: {arguments.quantization}"
        )
    if arguments.format == "saved-model" and arguments.samples:
        raise InputError("Expected --samples with --format litert. Received: saved-model")
    if arguments.format == "litert" and search.keys() - {"beam_width"}:
        first = min(search.keys() - {"beam_width"}).replace("_", "-")
        raise InputError(
            f"Expected no option of a search but --beam-width with --format litert. "
            f"Received: --{first}"
        )
    samples = list(lines(arguments.samples)) if arguments.samples else []
    # Whatever other commands run on.
    os.environ["KERAS_BACKEND"] = "tensorflow"
    if arguments.format == "saved-model":
        next_version(arguments.output)
    else:
        check_is_free(arguments.output)
    translator = open_trained_translator(arguments.model)
    if arguments.format == "saved-model":
        _saved_model(
            translator, arguments.output, serving_version=arguments.serving_version, **search
        )
    else:
        _litert(
            translator,
            arguments.output,
            quantization=arguments.quantization,
            samples=samples,
            **search,
        )


def export_chosen(translator, directory, choice, *, samples=()):
    """Writes the exports that a training run ends with, those that are not there yet.

    On JAX and PyTorch they are written by the command `export` in a process of its own. Where
    TensorFlow is not installed, a line says how to run it.

    Args:
        translator: a `Translator`.
        directory: the model directory.
        choice: `both`, `saved-model`, `litert` or `none`.
        samples: source texts for the golden file.
    """
    import keras

    directory = Path(directory)
    places = {"saved-model": directory / "saved-model" / "1", "litert": directory / "litert"}
    missing = [name for name in places if choice in ("both", name) and not places[name].exists()]
    if keras.backend.backend() != "tensorflow":
        _export_elsewhere(directory, missing, samples)
        return
    if "saved-model" in missing:
        _saved_model(translator, directory / "saved-model")
    if "litert" in missing:
        _litert(translator, directory / "litert", samples=samples)


def _export_elsewhere(directory, names, samples):
    commands = [
        ["export", str(directory), "--format", name, "--output", str(directory / name)]
        for name in names
    ]
    if not find_spec("tensorflow"):
        for command in commands:
            print(
                f"not exported, which takes TensorFlow: keras-bahdanau {shlex.join(command)}",
                file=sys.stderr,
            )
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "samples"
        path.write_text("".join(f"{text}\n" for text in samples), encoding="utf-8")
        for name, command in zip(names, commands, strict=True):
            given = ["--samples", path] if name == "litert" and samples else []
            program = [sys.executable, "-m", "keras_bahdanau", *command, *given]
            code = subprocess.run(program, check=False).returncode
            if code:
                raise ChildProcessError(
                    f"The model is trained, but its export ended with exit code {code}: "
                    f"keras-bahdanau {shlex.join(command)}"
                )


def _saved_model(translator, output, **options):
    from keras_bahdanau.export.saved_model import export_saved_model

    _report("SavedModel", export_saved_model(translator, output, **options))


def _litert(translator, output, **options):
    from keras_bahdanau.export.litert import export_litert

    _report("LiteRT", export_litert(translator, output, **options))


def _report(kind, path):
    size = sum(file.stat().st_size for file in Path(path).rglob("*") if file.is_file())
    print(f"{kind}: {path} ({size / 1e6:.1f} MB)", file=sys.stderr)
