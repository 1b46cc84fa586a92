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

saved-model: one SavedModel with text in and text out for TensorFlow Serving, with the signatures
  serving_default, translate_n_best and score. OUTPUT is the base path that a server watches: the
  model is written to OUTPUT/1, beside earlier versions to the next number, and appears there whole
  or not at all. What is said of the search is fixed in it and recorded.
litert: OUTPUT/translator.tflite with builtin operators only, its tokenizer, a manifest, and
  golden.jsonl and tokenizer_vectors.jsonl, whose lines a port to another language must reproduce.
  It runs on Android, on iOS, in browsers, in C and in Python. With --text,
  OUTPUT/translator_text.tflite too, whose signatures translate and translate_beam take a text and
  return one: for Python with tensorflow-text, and for builds of your own that link
  tensorflow-text's operators for LiteRT. A text beyond the limit of the model is cut off there.
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
# Of the validation set, for the LiteRT directory of a training run.
GOLDEN_SAMPLES, COMPARED_PAIRS = 20, 200
FILES = {"calibration", "samples", "shortlist", "source", "reference"}
LITERT_OPTIONS = ("quantization", "max_source_length", "attention", "text", *sorted(FILES))
LITERT_SEARCH = ("beam_width", "length_penalty", "max_length")
SAMPLING = {"sample", "temperature", "top_k", "top_p", "seed"}
# What `export_litert` calls them.
LITERT_NAMES = {
    "max_source_length": "max_length",
    "max_length": "max_target_length",
    "source": "sources",
    "reference": "references",
}


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
        "--serving-version",
        choices=("2.15", "2.20"),
        default="2.15",
        help="the oldest TensorFlow Serving that has to run the SavedModel: the export fails if it "
        "has an operation that this server lacks",
    )
    litert = parser.add_argument_group("litert", "of the file and of what lies beside it")
    litert.add_argument(
        "--quantization",
        choices=("float32", "int8", "int4"),
        help="precision of the weights (float32)",
    )
    litert.add_argument(
        "--calibration",
        metavar="F",
        help="source texts, such as the source side of the training corpus, for int8 and int4: "
        "weights are rounded so that translations change least, which takes a minute or two",
    )
    litert.add_argument(
        "--max-source-length",
        type=positive_integer,
        metavar="N",
        help="longest source in pieces; longer texts are translated in parts (the model's limit)",
    )
    litert.add_argument(
        "--shortlist",
        metavar="F",
        help="text in the target language, such as the target side of the training corpus: "
        "translations consist of pieces that occur in it, and the decoder reads and computes less",
    )
    litert.add_argument(
        "--attention",
        action="store_true",
        default=None,
        help="translate and translate_beam return attention scores too, for highlighting; "
        "decode_step does in any case",
    )
    litert.add_argument(
        "--text",
        action="store_true",
        default=None,
        help="write a file from text to text too, which needs tensorflow-text's operators",
    )
    litert.add_argument(
        "--samples", metavar="F", help="source texts for golden.jsonl, beside those of the package"
    )
    litert.add_argument(
        "--source", metavar="F", help="texts to compare BLEU on before and after, for the manifest"
    )
    litert.add_argument("--reference", metavar="F", help="their translations, line by line")
    add_search_options(
        parser, "search", f"fixed in the export; litert: {_listed(LITERT_SEARCH)} alone"
    )


def run(arguments):
    from keras_bahdanau.command_line.models import open_trained_translator
    from keras_bahdanau.errors import InputError
    from keras_bahdanau.export.version_directories import next_version
    from keras_bahdanau.files import check_is_free
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
            f"Expected no option of a search but {_listed(LITERT_SEARCH)} with --format litert. "
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
    # Whatever other commands run on.
    os.environ["KERAS_BACKEND"] = "tensorflow"
    if is_litert:
        check_is_free(arguments.output)
    else:
        next_version(arguments.output)
    translator = open_trained_translator(arguments.model)
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
    """Writes the exports that a training run ends with, those that are not there yet.

    On JAX and PyTorch they are written by the command `export` in a process of its own. Where
    TensorFlow is not installed, a line says how to run it.

    Args:
        translator: a `Translator`.
        directory: the model directory.
        choice: `both`, `saved-model`, `litert` or `none`.
        validation: pairs of texts: the first are golden samples, and what the manifest of the
            LiteRT directory compares BLEU on.
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
                f"not exported, which takes TensorFlow: keras-bahdanau {shlex.join(command)}",
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
