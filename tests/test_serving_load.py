"""A minute of 32 threads at TensorFlow's C++ loader."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from small_translator import small_translator

from keras_bahdanau.export.saved_model import export_saved_model

PROGRAM = Path(__file__).with_name("serving_load.py")
THREADS, SECONDS = 32, 60
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
def test_no_answer_is_wrong_and_memory_does_not_grow(tmp_path):
    directory = export_saved_model(small_translator(), tmp_path / "model", n_best=3)
    finished = subprocess.run(
        [sys.executable, PROGRAM, directory, str(THREADS), str(SECONDS)],
        input=json.dumps(REQUESTS),
        capture_output=True,
        text=True,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"},
    )
    assert finished.returncode == 0, finished.stderr
    report = json.loads(finished.stdout)
    assert report["wrong"] == []
    assert report["requests"] > THREADS * len(REQUESTS)
    warmed_up = report["rss"][len(report["rss"]) // 2]
    assert max(report["rss"]) < 1.02 * warmed_up, report["rss"]
