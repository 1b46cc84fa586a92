"""`export_saved_model`: writes a translator as a SavedModel for TensorFlow Serving."""

import os
from collections.abc import Sequence
from pathlib import Path

import keras
import tensorflow as tf

from keras_bahdanau.errors import InputError
from keras_bahdanau.files import atomic_path
from keras_bahdanau.recurrent.dropout_masks import no_dropout_masks
from keras_bahdanau.text.tokenizer import SPECIAL_IDS
from keras_bahdanau.translation.search_options import SearchOptions
from keras_bahdanau.translation.translator import Translator

from ..version_directories import next_version
from .assets import (
    TOKENIZER_FILE,
    SearchSettings,
    make_fingerprint_deterministic,
    write_manifest,
    write_warm_up_requests,
)
from .graph_tokenizer import GraphTokenizer
from .operations import OLDEST_SERVER, check_operations, check_serving_version
from .signatures import TextTranslation

WARM_UP_TEXT = "Hello."
WARM_UP_BATCH_SIZES = (1, 8, 32)


def export_saved_model(
    translator: Translator,
    directory: str | os.PathLike,
    *,
    serving_version: str = OLDEST_SERVER,
    beam_width: int = 5,
    n_best: int | None = None,
    length_penalty: float | None = None,
    length_penalty_type: str = "average",
    coverage_penalty: float = 0.0,
    min_length: int = 0,
    max_length: int | None = None,
    min_length_ratio: float = 0.0,
    max_length_ratio: float = 2.0,
    no_repeat_ngram_size: int = 0,
    banned_pieces: Sequence[str] = (),
    allow_unknown: bool = False,
) -> Path:
    """Writes a translator as a SavedModel for TensorFlow Serving, text in and text out.

    TensorFlow Serving takes `directory` as its `base_path`. The signatures are `serving_default`,
    `translate_n_best` and `score`, see `TextTranslation`. In `assets.extra` are warm-up requests,
    `tokenizer.model` and `export.json` (package version, search options, limits), with which a
    client can split texts that are longer than the model's limit: the server truncates them.

    The version directory is written atomically, so a server that watches `directory` loads it
    whole. Exports from new processes are equal to the byte; in a process that has traced other
    functions before, the numbers in the names of functions in `saved_model.pb` differ, and with
    them its checksums in `fingerprint.pb`.

    Args:
        translator: the `Translator` to export.
        directory: a new or empty directory, or one of earlier versions. The model is written to
            its subdirectory `1`, or to the next number after the highest.
        serving_version: the oldest TensorFlow Serving that must run the model, of
            `SERVING_VERSIONS`: each of its operations must be compiled into that server.
        beam_width: hypotheses in the beam; 1 is greedy search. Like all following arguments, a
            constant of the export. Lengths are in tokens, the end token included.
        n_best: translations per text that `translate_n_best` returns, at most `beam_width`, which
            is the default.
        length_penalty: alpha of length normalization: hypotheses are ranked by their
            log-probability divided by length ** alpha. The translator's own by default.
        length_penalty_type: what is raised to the power of alpha: `"average"` for the length, or
            `"wu"` for (5 + length) / 6.
        coverage_penalty: beta of the coverage penalty of Wu et al. 2016, which penalizes source
            tokens whose attention sums to less than 1.
        min_length: minimum number of tokens before the end token.
        max_length: maximum number of tokens; twice the model's source limit by default.
        min_length_ratio: minimum number of tokens before the end token, per source token.
        max_length_ratio: maximum number of tokens, per source token (10 more are allowed).
        no_repeat_ngram_size: n-gram blocking: no n-gram of this size occurs twice; 0 for none.
        banned_pieces: pieces of the vocabulary that are never generated.
        allow_unknown: whether the unknown token may be generated.

    Returns:
        The path of the version directory.

    Raises:
        InputError: the directory holds other files, an option is out of its range, the
            translator is an ensemble, the model has an operation that TensorFlow Serving lacks,
            or the Keras backend is not TensorFlow.

    Example:

    >>> translator = Translator.load("my-model")
    >>> export_saved_model(translator, "served/translator", beam_width=8, n_best=3)
    PosixPath('served/translator/1')

    Reference: Wu et al. 2016, https://arxiv.org/abs/1609.08144 (length and coverage penalties).
    """
    options = SearchOptions(
        beam_width=beam_width,
        n_best=beam_width if n_best is None else n_best,
        length_penalty=translator.length_penalty if length_penalty is None else length_penalty,
        length_penalty_type=length_penalty_type,
        coverage_penalty=coverage_penalty,
        min_length=min_length,
        max_length=max_length,
        min_length_ratio=min_length_ratio,
        max_length_ratio=max_length_ratio,
        no_repeat_ngram_size=no_repeat_ngram_size,
        banned_pieces=banned_pieces,
        allow_unknown=allow_unknown,
    )
    settings = SearchSettings(
        options=options,
        max_length=translator.config["max_length"],
        max_target_length=translator.config["max_target_length"],
    )
    check_serving_version(serving_version)
    _check_call(options, translator)
    banned_ids = translator.tokenizer.ids_of(options.banned_pieces)
    version_directory = Path(directory, next_version(directory))
    with atomic_path(version_directory) as temporary:
        _write_model(translator, settings, banned_ids, temporary)
        check_operations(temporary, serving_version)
        _write_assets(translator, settings, serving_version, temporary)
    return version_directory


def _check_call(options: SearchOptions, translator: Translator) -> None:
    if keras.backend.backend() != "tensorflow":
        raise InputError(
            "Exporting a SavedModel needs Keras on the TensorFlow backend "
            f"(KERAS_BACKEND=tensorflow). Received: backend {keras.backend.backend()}"
        )
    if translator.is_ensemble:
        raise InputError("Expected one model to export. Received: an ensemble")
    largest = translator.tokenizer.vocabulary_size - len(SPECIAL_IDS)
    if options.beam_width > largest:
        raise InputError(
            f"Expected beam_width of at most {largest}, the vocabulary. "
            f"Received: beam_width={options.beam_width}"
        )


def _write_model(
    translator: Translator, settings: SearchSettings, banned_ids: Sequence[int], directory: Path
) -> None:
    model = translator.model
    tokenizer = GraphTokenizer(translator.tokenizer.model_bytes)
    module = tf.Module()
    module.tokenizer = tokenizer
    # Variables, not layers: Keras would add a second handle for every weight, which TensorFlow
    # Serving leaves uninitialized (keras#19274).
    module.weights = [weight.value for weight in model.weights]
    functions = TextTranslation(model, tokenizer, settings, banned_ids).signatures()
    with no_dropout_masks(model.encoder.layers):
        signatures = {name: each.get_concrete_function() for name, each in functions.items()}
    tf.saved_model.save(module, str(directory), signatures=signatures)
    make_fingerprint_deterministic(directory)


def _write_assets(
    translator: Translator, settings: SearchSettings, serving_version: str, directory: Path
) -> None:
    requests = [
        (signature, {name: [WARM_UP_TEXT] * batch_size for name in names})
        for signature, names in (
            ("serving_default", ["text"]),
            ("translate_n_best", ["text"]),
            ("score", ["source", "target"]),
        )
        for batch_size in WARM_UP_BATCH_SIZES
    ]
    write_warm_up_requests(directory, requests)
    write_manifest(directory, settings, serving_version)
    (directory / TOKENIZER_FILE).write_bytes(translator.tokenizer.model_bytes)
