"""The C++ loader itself, on models with known answers."""

import json
import subprocess
import sys

import keras
import pytest
import tensorflow as tf
from checkout import SUPPORT

CPP_LOADER = SUPPORT / "cpp_loader.py"


def run(directory, requests):
    return subprocess.run(
        [sys.executable, CPP_LOADER, directory],
        input=json.dumps(requests),
        capture_output=True,
        text=True,
    )


class Measure(tf.Module):
    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="text")])
    def measure(self, text):
        length = tf.strings.length(text)
        half = tf.cast(length, tf.float32) / 2
        return {
            "text": text,
            "length": length,
            "long_length": tf.cast(length, tf.int64) * 2**40,
            "halves": tf.stack([half, -half], axis=1),
        }


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    path = tmp_path_factory.mktemp("measure") / "1"
    module = Measure()
    tf.saved_model.save(module, str(path), signatures={"serving_default": module.measure})
    return path


def test_answers_requests(directory):
    texts = ["abc", "", "x" * 1000, "a\0😀", {"b64": "//4="}]
    lengths = [3, 0, 1000, 6, 2]
    requests = [
        {"signature": "serving_default", "inputs": {"text": texts}},
        {"signature": "serving_default", "inputs": {"text": []}},
        {"signature": "other", "inputs": {}},
        {"signature": "serving_default", "inputs": {"texts": ["a"]}},
    ]
    finished = run(directory, requests)
    assert finished.returncode == 0, finished.stderr
    full, empty, unknown_signature, unknown_input = json.loads(finished.stdout)["answers"]
    assert full == {
        "text": texts,
        "length": lengths,
        "long_length": [length * 2**40 for length in lengths],
        "halves": [[length / 2, -length / 2] for length in lengths],
    }
    assert empty == {"text": [], "length": [], "long_length": [], "halves": []}
    assert "received other" in unknown_signature["error"]
    assert "Expected the inputs ['text']" in unknown_input["error"]


def test_says_why_a_directory_cannot_be_loaded(tmp_path):
    finished = run(tmp_path, [])
    assert finished.returncode == 1
    assert "Could not find SavedModel" in finished.stderr


def test_finds_the_fault_of_a_saved_model_that_tracks_keras_layers(tmp_path):
    class Tracking(tf.Module):
        def __init__(self):
            super().__init__()
            self.embedding = keras.layers.Embedding(4, 2)
            self.embedding.build()

        @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="text")])
        def embed(self, text):
            return {"vectors": self.embedding(tf.strings.length(text))}

    module = Tracking()
    tf.saved_model.save(module, str(tmp_path / "1"), signatures={"serving_default": module.embed})
    in_python = tf.saved_model.load(str(tmp_path / "1")).signatures["serving_default"]
    assert in_python(text=tf.constant(["ab"]))["vectors"].shape == (1, 2)
    finished = run(tmp_path / "1", [{"signature": "serving_default", "inputs": {"text": ["ab"]}}])
    assert "Could not find variable" in json.loads(finished.stdout)["answers"][0]["error"]
