import pytest
import tensorflow as tf
from meta_graph import fields
from tensorflow.core.framework import tensor_pb2

from keras_bahdanau.export.saved_model.assets import write_warm_up_requests

REQUESTS = [
    ("serving_default", {"text": ["Hello."]}),
    ("serving_default", {"text": ["ñandú 😀" * 40] * 8}),
    ("score", {"source": ["a", "b"], "target": ["c", ""]}),
]


@pytest.fixture
def records(tmp_path):
    path = write_warm_up_requests(tmp_path, REQUESTS, model_name="some-model")
    assert path == tmp_path / "assets.extra" / "tf_serving_warmup_requests"
    return [record.numpy() for record in tf.data.TFRecordDataset(str(path))]


def read_texts(tensor_proto):
    return [text.decode() for text in tf.make_ndarray(tensor_proto).tolist()]


def test_records_have_the_documented_fields(records):
    read = []
    for record in records:
        [(predict_log_number, predict_log)] = fields(record)
        [(request_number, request)] = fields(predict_log)
        assert (predict_log_number, request_number) == (6, 1)
        (model_spec_number, model_spec), *inputs = fields(request)
        assert model_spec_number == 1
        model_spec = dict(fields(model_spec))
        assert model_spec[1] == b"some-model"
        texts = {}
        for number, entry in inputs:
            assert number == 2
            entry = dict(fields(entry))
            tensor = tensor_pb2.TensorProto.FromString(entry[2])
            texts[entry[1].decode()] = read_texts(tensor)
        read.append((model_spec[3].decode(), texts))
    assert read == REQUESTS


def test_tensorflow_serving_reads_the_records(records):
    prediction_log_pb2 = pytest.importorskip(
        "tensorflow_serving.apis.prediction_log_pb2",
        reason="needs tensorflow-serving-api: pip install 'keras-bahdanau[serving]'",
    )
    read = []
    for record in records:
        log = prediction_log_pb2.PredictionLog.FromString(record)
        assert log.WhichOneof("log_type") == "predict_log"
        request = log.predict_log.request
        assert request.model_spec.name == "some-model"
        texts = {name: read_texts(tensor) for name, tensor in request.inputs.items()}
        read.append((request.model_spec.signature_name, texts))
    assert read == REQUESTS
