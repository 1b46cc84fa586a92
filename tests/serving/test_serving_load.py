"""32 threads at TensorFlow's C++ loader, for a minute with `-m exhaustive`."""

import json
import os
import subprocess
import sys

import pytest
from checkout import SUPPORT
from small_translator import small_translator

from keras_bahdanau.export.saved_model import export_saved_model

PROGRAM = SUPPORT / "serving_load.py"
THREADS = 32
TEXTS = ["the dog runs", "", "el perro corre la casa roja ñandú 12", "the", "cat\0dog שלום", "😀"]
LONG = "the dog sleeps. " * 200
REQUESTS = [
    *({"signature": "serving_default", "inputs": {"text": [text]}} for text in [*TEXTS, LONG]),
    {"signature": "serving_default", "inputs": {"text": TEXTS}},
    {"signature": "serving_default", "inputs": {"text": [{"b64": "//4="}, "the dog"]}},
    {"signature": "translate_n_best", "inputs": {"text": TEXTS}},
    {"signature": "translate_n_best", "inputs": {"text": [LONG, "the dog"]}},
    {"signature": "score", "inputs": {"source": TEXTS, "target": TEXTS[::-1]}},
]


@pytest.mark.slow
@pytest.mark.parametrize("seconds", [10, pytest.param(60, marks=pytest.mark.exhaustive)])
def test_no_answer_is_wrong_and_memory_does_not_grow(tmp_path, seconds):
    directory = export_saved_model(small_translator(), tmp_path / "model", n_best=3)
    finished = subprocess.run(
        [sys.executable, PROGRAM, directory, str(THREADS), str(seconds)],
        input=json.dumps(REQUESTS),
        capture_output=True,
        text=True,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"},
    )
    assert finished.returncode == 0, finished.stderr
    report = json.loads(finished.stdout)
    assert report["wrong"] == []
    assert report["requests"] >= THREADS
    warmed_up = report["rss"][len(report["rss"]) // 2]
    assert max(report["rss"]) < 1.02 * warmed_up, report["rss"]
