"""Writes a translator as a LiteRT directory."""

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
    quality,
    signature_description,
    write_golden,
    write_manifest,
)
from .calibration import calibration_batches
from .conversion import QUANTIZATIONS, convert, operator_names
from .curvature import curvatures_of
from .quantization import blocks_of, round_weights
from .shortlist import Shortlist
from .signatures import SIGNATURE_NAMES, Signatures
from .stepper import Stepper, float32_copy
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
    """Writes a translator as one LiteRT file of builtin operators, with what it needs beside it.

    The directory gets `translator.tflite` (signatures `encode`, `decode_step`, `translate` and
    `translate_beam`, see `Signatures`), `tokenizer.model`, `tokenizer.json`,
    `tokenizer_vectors.jsonl`, `golden.jsonl` and `manifest.json`. It appears whole or not at all.
    `keras_bahdanau.export.runtime` runs it.

    Args:
        translator: a `Translator`: its `model` and `tokenizer` are exported.
        directory: path to make; one that exists must be empty.
        quantization: `"float32"`, which translates token for token as Keras does; `"int8"`, about
            a quarter of the size; or `"int4"`, an eighth.
        beam_width: number of hypotheses of `translate_beam`; fixed in the file.
        length_penalty: exponent of its length normalisation, fixed in the file; the translator's
            own by default.
        max_length: longest source in pieces, the end token included; the translator's own limit
            by default.
        max_target_length: longest translation in tokens, the end token included; the
            translator's own limit by default.
        attention: whether `translate` and `translate_beam` return attention scores as well, of
            shape `(1, max_target_length, max_length)`. `decode_step` does in any case.
        shortlist: texts in the target language, or `None`. With them, translations consist of
            pieces that occur in these texts alone, and the decoder computes and reads less;
            log-probabilities are then over these pieces.
        calibration: texts in the source language, for `"int8"` and `"int4"`, or `None`: with them,
            weights are rounded so that what the model says of such texts changes least, instead of
            each to the nearest number. A few thousand are enough, and more are not used; it takes
            a minute or two for a model of five million weights.
        samples: texts for `golden.jsonl`, beside 32 lines of varied text that are always there.
        sources, references: texts and their translations: the manifest says what BLEU they have
            before and after the export, and how many translations are the same.
        text: whether to write `translator_text.tflite` too, from text to text. It needs
            tensorflow-text's operators, which exist for Python and in builds of one's own: see
            `keras_bahdanau.export.litert.text_file`.

    Returns: `pathlib.Path` of the directory.

    Raises:
        InputError: the directory is not empty, an argument is out of its range, the translator is
            an ensemble, or, with `text`, its tokenizer is not one that tensorflow-text's
            operators know.
        UnsupportedOperatorError: the model needs operators that LiteRT does not have.
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
    _check_call(directory, quantization, length_penalty, sizes, calibration)
    _check_translator(translator)
    if sources or references:
        check_references(sources, references)
    model = float32_copy(translator.model)
    _round(model, quantization, translator, calibration)
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
    # Without another wish: min(factor * source_length + offset, max_target_length).
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
            "signatures": signature_description(content),
            "operators": operator_names(content),
        }
        if text:
            (temporary / text_description["name"]).write_bytes(text_content)
            description["text_file"] = text_description
        write_manifest(temporary, description)
        write_golden(temporary, [*SAMPLE_TEXTS, *samples])
        if sources:
            description["quality"] = quality(
                translator, temporary, sources, references, length_penalty
            )
        write_manifest(temporary, description)
    return directory


def _round(model, quantization, translator, calibration):
    if calibration is not None:
        batches = calibration_batches(translator, calibration)
        curvatures = curvatures_of(model, blocks_of(model), batches)
        round_weights(model, _BITS[quantization], curvatures)
    elif quantization == "int4":
        # To the nearest number of eight bits the converter rounds by itself.
        round_weights(model, _BITS[quantization])


def _check_call(directory, quantization, length_penalty, sizes, calibration):
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
