"""Writes a translator as a SavedModel for TensorFlow Serving."""

import os
from pathlib import Path

import keras
import tensorflow as tf

from keras_bahdanau.errors import InputError
from keras_bahdanau.export.saved_model.manifest import (
    TOKENIZER_FILE,
    SearchSettings,
    write_manifest,
)
from keras_bahdanau.export.saved_model.operations import check_operations
from keras_bahdanau.export.saved_model.signatures import TextTranslation
from keras_bahdanau.export.saved_model.warm_up import write_warm_up_requests
from keras_bahdanau.files import atomic_path, check_is_free
from keras_bahdanau.text.graph_tokenizer import GraphTokenizer
from keras_bahdanau.translator import Translator

VERSION = "1"
WARM_UP_TEXT = "Hello."
WARM_UP_BATCH_SIZES = (1, 8, 32)


def export_saved_model(
    translator: Translator,
    directory: str | os.PathLike,
    *,
    beam_width: int = 5,
    n_best: int | None = None,
    length_penalty: float | None = None,
) -> Path:
    """Writes version 1 of a servable model, text in and text out.

    TensorFlow Serving takes `directory` as its `base_path`. The signatures are `serving_default`,
    `translate_n_best` and `score`. Beside the model lie, in `assets.extra`, the warm-up requests,
    `tokenizer.model` and `export.json` (the package version and the settings of the search), with
    which a client can split texts that are longer than the model's limit: the server cuts them.

    Args:
        translator: what to export.
        directory: an absent or empty directory. The model is written to its subdirectory `1`.
        beam_width: number of hypotheses of every search.
        n_best: number of translations that `translate_n_best` returns; `None` for `beam_width`.
        length_penalty: exponent of the length that a log-probability is divided by; `None` for the
            translator's own.

    Returns:
        The path of the version directory.

    Raises:
        InputError: the directory is not empty, the model has an operation that TensorFlow Serving
            lacks, or the Keras backend is not TensorFlow.
        ValueError: a number is out of its range.
    """
    settings = SearchSettings(
        beam_width=beam_width,
        n_best=beam_width if n_best is None else n_best,
        length_penalty=translator.length_penalty if length_penalty is None else length_penalty,
        max_length=translator.config["max_length"],
        max_target_length=translator.config["max_target_length"],
    )
    _check_settings(settings, translator)
    check_is_free(directory, leftovers_of=VERSION)
    version_directory = Path(directory, VERSION)
    with atomic_path(version_directory) as temporary:
        _write_model(translator, settings, temporary)
        check_operations(temporary)
        _write_assets(translator, settings, temporary)
    return version_directory


def _check_settings(settings: SearchSettings, translator: Translator) -> None:
    if keras.backend.backend() != "tensorflow":
        raise InputError(
            "A SavedModel is exported with the TensorFlow backend (KERAS_BACKEND=tensorflow). "
            f"Received the backend {keras.backend.backend()!r}"
        )
    largest = translator.tokenizer.vocabulary_size - 4
    if not 1 <= settings.beam_width <= largest:
        raise ValueError(
            f"Argument `beam_width` must be an integer from 1 to {largest}. "
            f"Received: beam_width={settings.beam_width}"
        )
    if not 1 <= settings.n_best <= settings.beam_width:
        raise ValueError(
            "Argument `n_best` must be an integer from 1 to `beam_width`. "
            f"Received: n_best={settings.n_best}, beam_width={settings.beam_width}"
        )
    if settings.length_penalty < 0:
        raise ValueError(
            "Argument `length_penalty` must not be negative. "
            f"Received: length_penalty={settings.length_penalty}"
        )


def _write_model(translator: Translator, settings: SearchSettings, directory: Path) -> None:
    model = translator.model
    tokenizer = GraphTokenizer(translator.tokenizer.model_bytes)
    module = tf.Module()
    module.tokenizer = tokenizer
    # The variables and never the layers: Keras would add a second handle for every weight, which
    # TensorFlow Serving leaves without a value (keras#19274).
    module.weights = [weight.value for weight in model.weights]
    signatures = {
        name: function.get_concrete_function()
        for name, function in TextTranslation(model, tokenizer, settings).signatures().items()
    }
    tf.saved_model.save(module, str(directory), signatures=signatures)


def _write_assets(translator: Translator, settings: SearchSettings, directory: Path) -> None:
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
    write_manifest(directory, settings)
    (directory / TOKENIZER_FILE).write_bytes(translator.tokenizer.model_bytes)
