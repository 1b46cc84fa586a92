import itertools
import shutil
import subprocess
import sys

import numpy as np
import pytest

from keras_bahdanau.errors import InputError
from keras_bahdanau.export import device_benchmark
from keras_bahdanau.export.device_benchmark import (
    SIGNATURES,
    benchmark,
    markdown,
    measure,
    memory_in_mb,
)
from keras_bahdanau.export.runtime import LiteTranslator

SHORT = {"texts": ["the red house"], "repeats": 2}


@pytest.fixture(scope="module")
def report(untrained_litert):
    file = untrained_litert / "translator.tflite"
    return benchmark(
        [untrained_litert, file],
        apis=["compiled-model", "interpreter"],
        signatures=["translate", "encode"],
        **SHORT,
    )


def test_every_configuration_is_measured_in_order(report, untrained_litert):
    found = [
        (each["directory"], each["api"], each["threads"], each["signature"])
        for each in report["results"]
    ]
    paths = [str(untrained_litert), str(untrained_litert / "translator.tflite")]
    apis = ["compiled-model", "interpreter"]
    assert found == list(itertools.product(paths, apis, [1], ["translate", "encode"]))


def test_it_says_what_was_measured(report, untrained_litert):
    size = (untrained_litert / "translator.tflite").stat().st_size
    for result in report["results"]:
        assert result["file_mb"] == size / 1e6
        assert result["quantization"] == "float32"
        assert result["calls"] == 2
    assert report["texts"]["number"] == 1
    assert report["machine"]["cores"] >= 1


def test_memory_is_that_of_the_measuring_process_alone(report):
    # This one has at least twice that since it loaded TensorFlow.
    assert all(result["peak_memory_mb"] < 150 for result in report["results"])


def test_the_golden_texts_are_the_default(untrained_litert):
    report = benchmark([untrained_litert], signatures=["encode"], repeats=1)
    lines = (untrained_litert / "golden.jsonl").read_text(encoding="utf-8").splitlines()
    assert report["texts"]["number"] == len(lines) == report["results"][0]["calls"]


def test_the_table_has_a_row_for_each_configuration(report):
    summary, blank, head, line, *rows = markdown(report).splitlines()
    assert "1 texts" in summary and blank == ""
    cells = [[cell.strip() for cell in row.strip("|").split("|")] for row in (head, *rows)]
    assert {len(row) for row in cells} == {line.count("-:") + line.count("--- ")} == {12}
    for row, result in zip(cells[1:], report["results"], strict=True):
        found = dict(zip(cells[0], row, strict=True))
        assert found["signature"] == result["signature"]
        assert float(found["median ms"]) == pytest.approx(result["median_ms"], abs=0.05)


def test_what_a_system_does_not_tell_is_a_dash(report):
    result = {**report["results"][0], "peak_memory_mb": None}
    assert markdown({**report, "results": [result]}).endswith(" | - |")


@pytest.mark.parametrize("texts", [[], ["", "  "]])
def test_nothing_to_translate_is_refused(untrained_litert, texts):
    with pytest.raises(InputError, match="texts to translate. Received: blank ones only"):
        benchmark([untrained_litert], texts)


@pytest.mark.parametrize("name", ["translator.tflite", "golden.jsonl"])
def test_a_damaged_directory_is_refused_before_anything_runs(
    untrained_litert, tmp_path, monkeypatch, name
):
    monkeypatch.setattr(
        device_benchmark, "_measure_in_process", lambda configuration: pytest.fail()
    )
    shutil.copytree(untrained_litert, tmp_path / "copied")
    (tmp_path / "copied" / name).write_bytes(b"no")
    with pytest.raises(InputError, match=f"{name}, 2 bytes, which is damaged"):
        benchmark([untrained_litert, tmp_path / "copied"], **SHORT)


def test_a_process_that_fails_is_named(untrained_litert):
    with pytest.raises(ChildProcessError, match="Measuring nosuch of .*exit code 1: KeyError"):
        benchmark([untrained_litert], signatures=["nosuch"], **SHORT)


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
        "import sys, keras_bahdanau.export.device_benchmark\n"
        "print(*({'keras', 'tensorflow'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "\n"
