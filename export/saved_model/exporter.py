"""Writes a translator as a SavedModel for TensorFlow Serving."""

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

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
    without_random_parts,
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
    **options: Any,
) -> Path:
    """Writes the next version of a servable model, text in and text out.

    TensorFlow Serving takes `directory` as its `base_path`. The signatures are `serving_default`,
    `translate_n_best` and `score`. Beside the model lie, in `assets.extra`, the warm-up requests,
    `tokenizer.model` and `export.json` (the package version and the options of the search), with
    which a client can split texts that are longer than the model's limit: the server cuts them.

    The version appears whole or not at all, so a server that watches the directory takes it up
    while it answers requests. Two processes that do nothing else write equal bytes; in a process
    that has traced other functions before, the names of functions in `saved_model.pb` are numbered
    otherwise, and with them its checksums in `fingerprint.pb`.

    Args:
        translator: what to export.
        directory: an absent or empty directory, or one of such versions. The model is written to
            its subdirectory `1`, or that of the number after its highest.
        serving_version: the oldest TensorFlow Serving that has to run it, of `SERVING_VERSIONS`:
            every operation must be one that it has.
        **options: the fields of `SearchOptions`, fixed in the export. `n_best` is the number of
            translations that `translate_n_best` returns, `beam_width` if not given, and
            `length_penalty` the translator's own.

    Returns:
        The path of the version directory.

    Raises:
        InputError: the directory holds something else, an option is out of its range or asks for
            samples, the translator is an ensemble, the model has an operation that TensorFlow
            Serving lacks, or the Keras backend is not TensorFlow.
    """
    beam_width = options.get("beam_width", SearchOptions().beam_width)
    chosen = SearchOptions(**{"n_best": beam_width, **options})
    if chosen.length_penalty is None:
        chosen = replace(chosen, length_penalty=translator.length_penalty)
    settings = SearchSettings(
        options=chosen,
        max_length=translator.config["max_length"],
        max_target_length=translator.config["max_target_length"],
    )
    check_serving_version(serving_version)
    _check_settings(settings, translator)
    banned_ids = translator.tokenizer.ids_of(chosen.banned_pieces)
    version_directory = Path(directory, next_version(directory))
    with atomic_path(version_directory) as temporary:
        _write_model(translator, settings, banned_ids, temporary)
        check_operations(temporary, serving_version)
        _write_assets(translator, settings, serving_version, temporary)
    return version_directory


def _check_settings(settings: SearchSettings, translator: Translator) -> None:
    if keras.backend.backend() != "tensorflow":
        raise InputError(
            "A SavedModel is exported with the TensorFlow backend (KERAS_BACKEND=tensorflow). "
            f"Received the backend {keras.backend.backend()!r}"
        )
    if settings.options.sample:
        raise InputError("Expected a search, the same for all requests. Received: sample=True")
    if translator.is_ensemble:
        raise InputError("Expected one model to export. Received: an ensemble")
    largest = translator.tokenizer.vocabulary_size - len(SPECIAL_IDS)
    if settings.options.beam_width > largest:
        raise InputError(
            f"Expected beam_width of at most {largest}, the vocabulary. "
            f"Received: beam_width={settings.options.beam_width}"
        )


def _write_model(
    translator: Translator, settings: SearchSettings, banned_ids: Sequence[int], directory: Path
) -> None:
    model = translator.model
    tokenizer = GraphTokenizer(translator.tokenizer.model_bytes)
    module = tf.Module()
    module.tokenizer = tokenizer
    # The variables and never the layers: Keras would add a second handle for every weight, which
    # TensorFlow Serving leaves without a value (keras#19274).
    module.weights = [weight.value for weight in model.weights]
    functions = TextTranslation(model, tokenizer, settings, banned_ids).signatures()
    with no_dropout_masks(model.encoder.layers):
        signatures = {name: each.get_concrete_function() for name, each in functions.items()}
    tf.saved_model.save(module, str(directory), signatures=signatures)
    without_random_parts(directory)


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
