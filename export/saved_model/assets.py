"""Files inside an exported SavedModel: `export.json` and warm-up requests.

Warm-up requests move the cost of the first call of each signature into the load. The file is a
TFRecord of `tensorflow.serving.PredictionLog`. That message has four fields in use here, so it is
written directly, and an export does not need the package `tensorflow-serving-api`.

Field numbers: https://github.com/tensorflow/serving/tree/master/tensorflow_serving/apis,
`prediction_log.proto`, `predict.proto` and `model.proto`.
"""

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


def without_random_parts(directory: Path) -> None:
    """Replaces the random identifier of a SavedModel by its checksums, which follow from it.

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


MANIFEST_FILE = "assets.extra/export.json"
TOKENIZER_FILE = "assets.extra/tokenizer.model"
FORMAT = "keras-bahdanau saved-model"
# Raised when the signatures change so that an older reader would misread them.
FORMAT_VERSION = 1
_LIMITS = ("max_length", "max_target_length")


class SearchSettings(NamedTuple):
    """What an export fixes about the search.

    Attributes:
        options: `SearchOptions`; their `n_best` is the number of translations that
            `translate_n_best` returns for a text.
        max_length: the limit of a source in token ids, the end id included. Longer ones are cut.
        max_target_length: the limit of a target, likewise.
    """

    options: SearchOptions
    max_length: int
    max_target_length: int


def write_manifest(directory: Path, settings: SearchSettings, serving_version: str) -> None:
    """Writes the manifest of an export.

    Args:
        directory: the SavedModel directory.
        settings: the settings of the search.
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
        InputError: the directory is no SavedModel of this package, or one of a newer version.
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
        raise InputError(f"Expected options of a search. Received: {path}: {error}") from error


WARM_UP_FILE = "assets.extra/tf_serving_warmup_requests"

_PREDICTION_LOG_PREDICT_LOG = 6
_PREDICT_LOG_REQUEST = 1
_REQUEST_MODEL_SPEC, _REQUEST_INPUTS = 1, 2
_MODEL_SPEC_NAME, _MODEL_SPEC_SIGNATURE = 1, 3
_MAP_KEY, _MAP_VALUE = 1, 2


def write_warm_up_requests(
    directory: Path,
    requests: Iterable[tuple[str, Mapping[str, list[str]]]],
    model_name: str = "translator",
) -> Path:
    """Writes the warm-up requests of a SavedModel.

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
            writer.write(prediction_log(signature, inputs, model_name))
    return path


def prediction_log(signature: str, inputs: Mapping[str, list[str]], model_name: str) -> bytes:
    """Returns a serialized `PredictionLog` of one request."""
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
    """Returns a length-delimited field: its key, its length as a varint, its content."""
    length, varint = len(content), bytearray()
    while length > 127:
        varint.append(length & 127 | 128)
        length >>= 7
    varint.append(length)
    return bytes([number << 3 | 2]) + bytes(varint) + content
