"""Files beside the graph of a SavedModel: `export.json`, warm-up requests, fingerprint."""

import dataclasses
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

import tensorflow as tf
from tensorflow.core.protobuf import fingerprint_pb2

from keras_bahdanau.errors import InputError
from keras_bahdanau.translation.search_options import SearchOptions
from keras_bahdanau.version import __version__

MANIFEST_FILE = "assets.extra/export.json"
TOKENIZER_FILE = "assets.extra/tokenizer.model"
WARM_UP_FILE = "assets.extra/tf_serving_warmup_requests"
FORMAT = "keras-bahdanau saved-model"
# Raised when the signatures change in a way that older readers would misread.
FORMAT_VERSION = 1
_LIMITS = ("max_length", "max_target_length")


class SearchSettings(NamedTuple):
    """Search options and limits, constants of an export.

    Attributes:
        options: `SearchOptions`; their `n_best` is the number of translations per text that
            `translate_n_best` returns.
        max_length: longest source in tokens, the end token included. Longer ones are truncated.
        max_target_length: longest translation in tokens, the end token included.
    """

    options: SearchOptions
    max_length: int
    max_target_length: int


def write_manifest(directory: Path, settings: SearchSettings, serving_version: str) -> None:
    """Writes the manifest `export.json` of an export.

    Args:
        directory: the SavedModel directory.
        settings: search options and limits.
        serving_version: the oldest TensorFlow Serving that runs it.
    """
    head = {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "package_version": __version__,
        "serving_version": serving_version,
    }
    search = dataclasses.asdict(settings.options)
    limits = {name: getattr(settings, name) for name in _LIMITS}
    content = json.dumps({**head, "search": search, **limits}, indent=2)
    Path(directory, MANIFEST_FILE).write_text(content + "\n", encoding="utf-8")


def read_manifest(directory: Path) -> dict:
    """Reads the manifest of an export: a dict, whose `search` is a `SearchOptions`.

    Raises:
        InputError: the directory is not a SavedModel of this package, or one of a newer format.
    """
    path = Path(directory, MANIFEST_FILE)
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        raise InputError(
            f"Expected a SavedModel exported by keras-bahdanau. Received: {directory}, which has "
            f"no {MANIFEST_FILE}"
        ) from None
    except ValueError as error:
        raise InputError(f"Expected a JSON object. Received: {path}, {error}") from error
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise InputError(f'Expected a JSON object with "format": "{FORMAT}". Received: {path}')
    missing = {"format_version", "package_version", "search", *_LIMITS} - manifest.keys()
    if missing:
        raise InputError(
            f"Expected a whole manifest. Received: {path} without {', '.join(sorted(missing))}"
        )
    if manifest["format_version"] > FORMAT_VERSION:
        raise InputError(
            f"Expected a SavedModel of format {FORMAT_VERSION} (keras-bahdanau {__version__}). "
            f"Received: {directory} of format {manifest['format_version']} "
            f"(keras-bahdanau {manifest['package_version']})"
        )
    try:
        return {**manifest, "search": SearchOptions(**manifest["search"])}
    except (TypeError, InputError) as error:
        raise InputError(f"Expected search options. Received: {path}: {error}") from error


def write_warm_up_requests(
    directory: Path,
    requests: Iterable[tuple[str, Mapping[str, list[str]]]],
    model_name: str = "translator",
) -> Path:
    """Writes requests that TensorFlow Serving runs when it loads a SavedModel.

    Without them, the first request of each signature would be slow. The file is a TFRecord of
    `tensorflow.serving.PredictionLog`; its messages are encoded here, so that exporting does not
    need the package `tensorflow-serving-api`.

    Args:
        directory: the SavedModel directory.
        requests: pairs of a signature and its inputs, each a list of `batch_size` texts.
        model_name: the name in the requests. A server replaces it by the name it serves.

    Returns:
        The path of the file.
    """
    path = Path(directory, WARM_UP_FILE)
    path.parent.mkdir(parents=True, exist_ok=True)
    with tf.io.TFRecordWriter(str(path)) as writer:
        for signature, inputs in requests:
            writer.write(_prediction_log(signature, inputs, model_name))
    return path


# Field numbers of prediction_log.proto, predict.proto and model.proto in
# https://github.com/tensorflow/serving/tree/master/tensorflow_serving/apis
_PREDICTION_LOG_PREDICT_LOG = 6
_PREDICT_LOG_REQUEST = 1
_REQUEST_MODEL_SPEC, _REQUEST_INPUTS = 1, 2
_MODEL_SPEC_NAME, _MODEL_SPEC_SIGNATURE = 1, 3
_MAP_KEY, _MAP_VALUE = 1, 2


def _prediction_log(signature: str, inputs: Mapping[str, list[str]], model_name: str) -> bytes:
    """Returns the serialized `PredictionLog` of one request."""
    model_spec = _field(_MODEL_SPEC_NAME, model_name.encode()) + _field(
        _MODEL_SPEC_SIGNATURE, signature.encode()
    )
    request = _field(_REQUEST_MODEL_SPEC, model_spec)
    for name, texts in inputs.items():
        tensor = tf.make_tensor_proto(texts, dtype=tf.string).SerializeToString()
        entry = _field(_MAP_KEY, name.encode()) + _field(_MAP_VALUE, tensor)
        request += _field(_REQUEST_INPUTS, entry)
    return _field(_PREDICTION_LOG_PREDICT_LOG, _field(_PREDICT_LOG_REQUEST, request))


def _field(number: int, content: bytes) -> bytes:
    """Returns a length-delimited protobuf field: key, length as a varint, content."""
    length, varint = len(content), bytearray()
    while length > 127:
        varint.append(length & 127 | 128)
        length >>= 7
    varint.append(length)
    return bytes([number << 3 | 2]) + bytes(varint) + content


def make_fingerprint_deterministic(directory: Path) -> None:
    """Replaces the random UUID in a SavedModel's fingerprint by one made of its checksums.

    Args:
        directory: the SavedModel directory.
    """
    path = Path(directory, "fingerprint.pb")
    fingerprint = fingerprint_pb2.FingerprintDef.FromString(path.read_bytes())
    checksums = (
        fingerprint.saved_model_checksum,
        fingerprint.graph_def_program_hash,
        fingerprint.signature_def_hash,
        fingerprint.saved_object_graph_hash,
        fingerprint.checkpoint_hash,
    )
    fingerprint.uuid = "-".join(f"{checksum:016x}" for checksum in checksums)
    path.write_bytes(fingerprint.SerializeToString(deterministic=True))
