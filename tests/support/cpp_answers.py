"""Answers of TensorFlow's C++ loader, which runs in a process of its own: see `cpp_loader.py`."""

import json
import os
import subprocess
import sys
from pathlib import Path

CPP_LOADER = Path(__file__).with_name("cpp_loader.py")


def run_cpp_loader(directory, requests):
    """Returns the loader's report; a request is `(signature, inputs)`."""
    requests = [{"signature": name, "inputs": inputs} for name, inputs in requests]
    finished = subprocess.run(
        [sys.executable, CPP_LOADER, directory],
        input=json.dumps(requests),
        capture_output=True,
        text=True,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"},
    )
    assert finished.returncode == 0, finished.stderr
    return json.loads(finished.stdout)
