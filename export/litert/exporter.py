"""`export_litert`: writes a translator as a LiteRT directory."""

import tempfile
from pathlib import Path

import keras

from keras_bahdanau.errors import InputError
from keras_bahdanau.files import atomic_path, check_is_free, write_json
from keras_bahdanau.quiet import silenced_native_logs
from keras_bahdanau.text.tokenizer import SPECIAL_IDS
from keras_bahdanau.translation.generate import EXTRA_LENGTH
from keras_bahdanau.version import __version__

from .. import runtime
from .artifacts import (
    SAMPLE_TEXTS,
    check_references,
    compare_quality,
    write_golden,
    write_manifest,
)
from .calibration import calibration_batches, estimate_curvatures
from .conversion import QUANTIZATIONS, convert, operator_names
from .quantization import round_weights, weight_matrices
from .signatures import SIGNATURE_NAMES, Signatures
from .stepper import Shortlist, Stepper, float32_copy
from .text_file import text_file
from .tokenizer_file import (
    TOKENIZER_FILE_NAME,
    VECTORS_FILE_NAME,
    tokenizer_description,
    write_vectors,
)

_BITS = {"float32": 32, "int8": 8, "int4": 4}


def export_litert(
    translator,
    directory,
    *,
    quantization="float32",
    beam_width=5,
    length_penalty=None,
    max_length=None,
    max_target_length=None,
    attention=False,
    shortlist=None,
    calibration=None,
    samples=(),
    sources=(),
    references=(),
    text=False,
):
    """Writes a translator as one LiteRT file of builtin operators, with its tokenizer beside it.

    The directory holds `translator.tflite` (signatures `encode`, `decode_step`, `translate` and
    `translate_beam`, see `Signatures`), the tokenizer (`tokenizer.model`, and `tokenizer.json` for
    runtimes without SentencePiece), `manifest.json` (sizes, special ids, limits, signatures,
    checksums), and test vectors for ports (`golden.jsonl`, `tokenizer_vectors.jsonl`). It is
    written atomically. `keras_bahdanau.export.runtime` runs it in Python.

    Args:
        translator: the `Translator` to export.
        directory: path of a new or empty directory.
        quantization: `"float32"`, which translates token for token as Keras does; `"int8"` for
            dynamic-range quantization, about a quarter of the size; or `"int4"`, a seventh.
        beam_width: number of hypotheses of `translate_beam`, a constant of the file.
        length_penalty: exponent of the length in its ranking, a constant of the file; the
            translator's own by default.
        max_length: longest source in tokens, the end token included; the translator's own limit
            by default.
        max_target_length: longest translation in tokens, the end token included; the translator's
            own limit by default.
        attention: whether `translate` and `translate_beam` return attention scores, too, of shape
            `(1, max_target_length, max_length)`. `decode_step` always does.
        shortlist: iterable of texts in the target language for vocabulary selection, or `None`:
            translations then consist of tokens of these texts, the decoder computes and reads
            less, and log-probabilities are over these tokens.
        calibration: iterable of texts in the source language, for `"int8"` and `"int4"`, or
            `None`: weights are then rounded so that the model's output distribution on such texts
            changes least (see `round_with_feedback`), instead of to the nearest. A few thousand
            are enough, and more are not used; a model of five million weights takes a minute or
            two.
        samples: texts for `golden.jsonl`, in addition to 32 built-in ones.
        sources, references: texts and their translations, on which the manifest compares BLEU
            before and after the export; none by default.
        text: whether to write `translator_text.tflite`, too, a model from text to text. It needs
            tensorflow-text's custom operators, see `keras_bahdanau.export.litert.text_file`.

    Returns: `pathlib.Path` of the directory.

    Raises:
        InputError: the directory is not empty, an argument is out of its range, the translator is
            an ensemble, the Keras backend is not TensorFlow, or, with `text`, tensorflow-text's
            operators do not support the tokenizer.
        UnsupportedOperatorError: the model needs operators that LiteRT does not have.

    Example:

    >>> translator = Translator.load("my-model")
    >>> export_litert(translator, "my-model/litert-int8", quantization="int8")
    PosixPath('my-model/litert-int8')
    """
    directory = Path(directory)
    if max_length is None:
        max_length = translator.config["max_length"]
    if max_target_length is None:
        max_target_length = translator.config["max_target_length"]
    if length_penalty is None:
        length_penalty = translator.length_penalty
    sizes = {
        "beam_width": beam_width,
        "max_length": max_length,
        "max_target_length": max_target_length,
    }
    sources, references = list(sources), list(references)
    _check_arguments(directory, quantization, length_penalty, sizes, calibration)
    _check_translator(translator)
    if sources or references:
        check_references(sources, references)
    model = float32_copy(translator.model)
    _round_weights(model, quantization, translator, calibration)
    stepper = Stepper(
        model,
        max_length,
        lookup_bits=_BITS[quantization],
        vocabulary=_vocabulary(translator, shortlist, beam_width),
    )
    signatures = Signatures(
        stepper,
        SPECIAL_IDS,
        beam_width=beam_width,
        length_penalty=length_penalty,
        max_target_length=max_target_length,
        attention=attention,
    )
    model_bytes = translator.tokenizer.model_bytes
    # Default of the input `max_length`: min(factor * source_length + offset, max_target_length).
    length_bound = {"factor": 2, "offset": EXTRA_LENGTH}
    with tempfile.TemporaryDirectory() as saved_model, silenced_native_logs():
        if text:
            text_content, text_description = text_file(
                signatures, model_bytes, length_bound, quantization
            )
        signatures.write(saved_model)
        content = convert(saved_model, SIGNATURE_NAMES, quantization)
    with atomic_path(directory) as temporary, silenced_native_logs():
        temporary.mkdir()
        (temporary / runtime.FILE_NAME).write_bytes(content)
        (temporary / runtime.TOKENIZER_NAME).write_bytes(model_bytes)
        write_json(temporary / TOKENIZER_FILE_NAME, tokenizer_description(model_bytes), indent=1)
        write_vectors(temporary / VECTORS_FILE_NAME, model_bytes)
        description = {
            "package_version": __version__,
            "quantization": quantization,
            "calibrated": calibration is not None,
            "vocabulary_size": translator.tokenizer.vocabulary_size,
            "shortlist_size": None if shortlist is None else stepper.vocabulary.size,
            "max_length": max_length,
            "max_target_length": max_target_length,
            "length_bound": length_bound,
            "special_ids": SPECIAL_IDS,
            "beam_width": beam_width,
            "length_penalty": length_penalty,
            "signatures": runtime.InterpreterGraphs(content, num_threads=1).signatures(),
            "operators": operator_names(content),
        }
        if text:
            (temporary / text_description["name"]).write_bytes(text_content)
            description["text_file"] = text_description
        write_manifest(temporary, description)
        write_golden(temporary, [*SAMPLE_TEXTS, *samples])
        if sources:
            description["quality"] = compare_quality(
                translator, temporary, sources, references, length_penalty
            )
        write_manifest(temporary, description)
    return directory


def _round_weights(model, quantization, translator, calibration):
    if calibration is not None:
        batches = calibration_batches(translator, calibration)
        curvatures = estimate_curvatures(model, weight_matrices(model), batches)
        round_weights(model, _BITS[quantization], curvatures)
    elif quantization == "int4":
        # With int8, the converter itself rounds to the nearest.
        round_weights(model, _BITS[quantization])


def _check_arguments(directory, quantization, length_penalty, sizes, calibration):
    if keras.config.backend() != "tensorflow":
        raise InputError(
            "Exporting to LiteRT needs Keras on the TensorFlow backend (KERAS_BACKEND=tensorflow). "
            f"Received: backend {keras.config.backend()}"
        )
    if quantization not in QUANTIZATIONS:
        raise InputError(
            f"Argument `quantization` must be one of {QUANTIZATIONS}. "
            f"Received: quantization={quantization!r}"
        )
    if calibration is not None and quantization == "float32":
        raise InputError(
            "Argument `calibration` needs weights to round: quantization='int8' or 'int4'. "
            "Received: quantization='float32'"
        )
    for name, size in sizes.items():
        if not isinstance(size, int) or isinstance(size, bool) or size < 1:
            raise InputError(
                f"Argument `{name}` must be a positive integer. Received: {name}={size!r}"
            )
    if length_penalty < 0:
        raise InputError(
            "Argument `length_penalty` must not be negative. "
            f"Received: length_penalty={length_penalty}"
        )
    check_is_free(directory)


def _check_translator(translator):
    if translator.is_ensemble:
        raise InputError("Expected a translator of one model. Received: an ensemble")
    pieces = translator.tokenizer.vocabulary_size
    rows = translator.model.decoder.vocabulary_size
    if pieces != rows:
        raise InputError(
            "Expected a tokenizer with the vocabulary of the model. "
            f"Received: {pieces} pieces, {rows} outputs of the model"
        )


def _vocabulary(translator, shortlist, beam_width):
    if shortlist is None:
        return None
    encoded = translator.tokenizer.encode_all(shortlist)
    vocabulary = Shortlist(set().union(*encoded), translator.tokenizer.vocabulary_size)
    if vocabulary.size < beam_width + len(SPECIAL_IDS):
        raise InputError(
            f"Expected texts for `shortlist` with at least {beam_width} different pieces. "
            f"Received: {vocabulary.size - len(SPECIAL_IDS)}"
        )
    return vocabulary
