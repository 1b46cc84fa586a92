"""Warm-up requests, which TensorFlow Serving runs while it loads a model.

They move the cost of the first call of each signature into the load. The file is a TFRecord of
`tensorflow.serving.PredictionLog`. That message has four fields in use here, so it is written
directly, and an export does not need the package `tensorflow-serving-api`.

Field numbers: https://github.com/tensorflow/serving/tree/master/tensorflow_serving/apis,
`prediction_log.proto`, `predict.proto` and `model.proto`.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path

import tensorflow as tf

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
