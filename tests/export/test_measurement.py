import subprocess
import sys

import numpy as np
import pytest

from keras_bahdanau.export.device_benchmark import SIGNATURES
from keras_bahdanau.export.measurement import measure, memory_in_mb
from keras_bahdanau.export.runtime import LiteTranslator

TEXTS = ["the red house", "", "the dog sleeps. " * 10]
ONCE = {"num_threads": 1, "repeats": 3, "warm_up": 2}


@pytest.mark.parametrize("api", ["interpreter", "compiled-model"])
@pytest.mark.parametrize("signature", SIGNATURES)
def test_it_runs_one_signature_as_often_as_it_says(untrained_litert, monkeypatch, signature, api):
    ran, run = [], LiteTranslator.run
    monkeypatch.setattr(
        LiteTranslator, "run", lambda self, name, given: ran.append(name) or run(self, name, given)
    )
    found = measure(untrained_litert, signature, TEXTS, api=api, **ONCE)
    parts = sum(len(LiteTranslator(untrained_litert).parts(text)) for text in TEXTS)
    assert parts > 2
    assert found["calls"] == 3 * parts
    calls = 1 + (2 + 3) * parts
    assert ran.count(signature) == calls
    # Before each step, its sentence is encoded.
    assert len(ran) == (2 * calls if signature == "decode_step" else calls)


def test_the_times_are_in_order(untrained_litert):
    found = measure(untrained_litert, "translate", TEXTS, api="interpreter", **ONCE)
    assert 0 < found["median_ms"] <= found["p95_ms"]
    assert found["mean_ms"] * found["calls"] >= found["p95_ms"]
    assert found["load_ms"] > 0 and found["first_ms"] > 0
    assert 0 < found["memory_before_mb"] <= found["peak_memory_mb"]


def test_memory_grows_by_what_is_allocated():
    before, peak_before = memory_in_mb()
    array = np.ones(200_000_000, "int8")
    during, _ = memory_in_mb()
    del array
    after, peak = memory_in_mb()
    assert 190 < during - before < 260
    # The kernel counts pages of several cores now and then only.
    assert peak + 1 > during > after
    assert peak_before + 1 > before


def test_nothing_of_tensorflow_or_keras_is_loaded():
    code = (
        "import sys, keras_bahdanau.export.measurement, keras_bahdanau.export.device_benchmark\n"
        "print(*({'keras', 'tensorflow'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "\n"
