"""`keras-bahdanau export`."""

import os
import shlex
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

from keras_bahdanau.command_line.parser import add_search_options, positive_integer, search_options

DESCRIPTION = """\
Export a trained model.

saved-model: a SavedModel for TensorFlow Serving, text in and text out, with the signatures
  serving_default, translate_n_best and score and the search options baked in. OUTPUT is the base
  path that a server watches: the model is written to OUTPUT/1, beside earlier versions to the next
  number, atomically.
litert: OUTPUT/translator.tflite with builtin operators only, its tokenizer, a manifest, and
  golden.jsonl and tokenizer_vectors.jsonl, whose lines a port to another language must reproduce.
  It runs on Android, on iOS, in browsers, in C and in Python. With --text,
  OUTPUT/translator_text.tflite too, whose signatures translate and translate_beam take a text and
  return one: for Python with tensorflow-text, and for your own builds that link tensorflow-text's
  operators for LiteRT. There a text longer than the model's limit is truncated.
"""
EPILOG = """\
examples:
  keras-bahdanau export my-model --format saved-model --output served/translator
  keras-bahdanau export my-model --format saved-model --output served/translator \\
      --beam-width 8 --n-best 3 --max-length 60
  keras-bahdanau export my-model --format litert --quantization int8 --output on-device \\
      --calibration train.en
  keras-bahdanau export my-model --format litert --quantization int4 --output on-device \\
      --calibration train.en --shortlist train.de --source test.en --reference test.de
  keras-bahdanau export my-model --format litert --text --output on-device
"""
# Of the validation set, for the LiteRT export at the end of a training run.
GOLDEN_SAMPLES, COMPARED_PAIRS = 20, 200
FILES = {"calibration", "samples", "shortlist", "source", "reference"}
LITERT_OPTIONS = ("quantization", "max_source_length", "attention", "text", *sorted(FILES))
LITERT_SEARCH = ("beam_width", "length_penalty", "max_length")
SAMPLING = {"sample", "temperature", "top_k", "top_p", "seed"}
# Names of their arguments of `export_litert`, where they differ.
LITERT_NAMES = {
    "max_source_length": "max_length",
    "max_length": "max_target_length",
    "source": "sources",
    "reference": "references",
}


def add_arguments(parser):
    parser.add_argument("model", metavar="DIR", help="trained model directory")
    parser.add_argument(
        "--format", required=True, choices=("saved-model", "litert"), help="format of the export"
    )
    parser.add_argument(
        "--output",
        metavar="DIR",
        required=True,
        help="new or empty directory, or for a SavedModel the directory of earlier versions",
    )
    parser.add_argument(
        "--serving-version",
        choices=("2.15", "2.20"),
        default="2.15",
        help="oldest TensorFlow Serving that must run the SavedModel: the export fails if the "
        "server lacks one of its operations",
    )
    litert = parser.add_argument_group("litert")
    litert.add_argument(
        "--quantization",
        choices=("float32", "int8", "int4"),
        help="precision of the weights (default: float32)",
    )
    litert.add_argument(
        "--calibration",
        metavar="F",
        help="source texts, such as the source side of the training corpus, to calibrate int8 and "
        "int4: weights are rounded with the least change of the outputs (a minute or two)",
    )
    litert.add_argument(
        "--max-source-length",
        type=positive_integer,
        metavar="N",
        help="maximum source length in pieces; longer texts are translated in parts (default: "
        "the model's limit)",
    )
    litert.add_argument(
        "--shortlist",
        metavar="F",
        help="texts in the target language, such as the target side of the training corpus: the "
        "output vocabulary is restricted to their pieces, which makes the decoder faster",
    )
    litert.add_argument(
        "--attention",
        action="store_true",
        default=None,
        help="translate and translate_beam return attention scores too, as decode_step always does",
    )
    litert.add_argument(
        "--text",
        action="store_true",
        default=None,
        help="write translator_text.tflite too, which needs tensorflow-text's operators",
    )
    litert.add_argument("--samples", metavar="F", help="more source texts for golden.jsonl")
    litert.add_argument(
        "--source", metavar="F", help="test set: BLEU before and after export, in the manifest"
    )
    litert.add_argument("--reference", metavar="F", help="reference translations, line by line")
    add_search_options(
        parser, "search", f"fixed in the export; for litert {_listed(LITERT_SEARCH)} alone"
    )


def run(arguments):
    from keras_bahdanau.errors import InputError
    from keras_bahdanau.export.version_directories import next_version
    from keras_bahdanau.files import check_is_free
    from keras_bahdanau.loading import open_translator
    from keras_bahdanau.quiet import import_keras_quietly
    from keras_bahdanau.training.corpora.parallel_text import lines

    search = search_options(arguments)
    is_litert = arguments.format == "litert"
    options = {name: getattr(arguments, name) for name in LITERT_OPTIONS}
    options = {name: value for name, value in options.items() if value is not None}
    if options and not is_litert:
        raise InputError(
            f"Expected {_listed(options)} with --format litert. Received: --format saved-model"
        )
    if is_litert and (others := search.keys() - LITERT_SEARCH):
        raise InputError(
            f"Expected no search option but {_listed(LITERT_SEARCH)} with --format litert. "
            f"Received: {_listed(sorted(others))}"
        )
    if sampling := search.keys() & SAMPLING:
        raise InputError(
            "Expected search options, since an export gives the same translations for all "
            f"requests. Received sampling options: {_listed(sorted(sampling))}"
        )
    if ("source" in options) != ("reference" in options):
        raise InputError(
            f"Expected --source and --reference together. Received: {_listed(options)}"
        )
    for name in options.keys() & FILES:
        options[name] = list(lines(options[name]))
    # Exports need it, also if `KERAS_BACKEND` selects another backend.
    os.environ["KERAS_BACKEND"] = "tensorflow"
    if is_litert:
        check_is_free(arguments.output)
    else:
        next_version(arguments.output)
    translator = open_translator(arguments.model)
    import_keras_quietly()
    from keras_bahdanau.translation.translator import Translator

    if not isinstance(translator, Translator):
        raise InputError(
            f"Expected a trained model directory to export. Received: {arguments.model}, an export"
        )
    if is_litert:
        _litert(translator, arguments.output, **_renamed({**options, **search}))
    else:
        _saved_model(
            translator, arguments.output, serving_version=arguments.serving_version, **search
        )


def _renamed(options):
    return {LITERT_NAMES.get(name, name): value for name, value in options.items()}


def _listed(names):
    return ", ".join(f"--{name.replace('_', '-')}" for name in names)


def export_chosen(translator, directory, choice, *, validation=()):
    """Writes the exports at the end of a training run, except those that exist already.

    On the JAX and PyTorch backends, `keras-bahdanau export` writes them in a separate process. If
    TensorFlow is not installed, the commands to run elsewhere are printed.

    Args:
        translator: a `Translator`.
        directory: the model directory.
        choice: `both`, `saved-model`, `litert` or `none`.
        validation: pairs of texts, of which the first are golden samples of the LiteRT export, and
            the test set for the BLEU in its manifest.
    """
    import keras

    directory = Path(directory)
    places = {"saved-model": directory / "saved-model" / "1", "litert": directory / "litert"}
    missing = [name for name in places if choice in ("both", name) and not places[name].exists()]
    compared = validation[:COMPARED_PAIRS]
    texts = {
        "samples": [source for source, _ in compared[:GOLDEN_SAMPLES]],
        "source": [source for source, _ in compared],
        "reference": [reference for _, reference in compared],
    }
    if keras.backend.backend() != "tensorflow":
        _export_elsewhere(directory, missing, texts if compared else {})
        return
    if "saved-model" in missing:
        _saved_model(translator, directory / "saved-model")
    if "litert" in missing:
        _litert(translator, directory / "litert", **_renamed(texts))


def _export_elsewhere(directory, names, texts):
    commands = [
        ["export", str(directory), "--format", name, "--output", str(directory / name)]
        for name in names
    ]
    if not find_spec("tensorflow"):
        for command in commands:
            print(
                "not exported, because TensorFlow is not installed: "
                f"keras-bahdanau {shlex.join(command)}",
                file=sys.stderr,
            )
        return
    with tempfile.TemporaryDirectory() as folder:
        given = []
        for name, lines in texts.items():
            path = Path(folder) / name
            path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
            given += [f"--{name}", str(path)]
        for name, command in zip(names, commands, strict=True):
            program = [sys.executable, "-m", "keras_bahdanau", *command]
            program += given if name == "litert" else []
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
