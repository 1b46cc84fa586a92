import itertools
import shutil

import pytest

from keras_bahdanau.errors import InputError
from keras_bahdanau.export import device_benchmark
from keras_bahdanau.export.device_benchmark import benchmark, markdown

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
    monkeypatch.setattr(device_benchmark, "_measured", lambda configuration: pytest.fail())
    shutil.copytree(untrained_litert, tmp_path / "copied")
    (tmp_path / "copied" / name).write_bytes(b"no")
    with pytest.raises(InputError, match=f"{name}, 2 bytes, which is damaged"):
        benchmark([untrained_litert, tmp_path / "copied"], **SHORT)


def test_a_process_that_fails_is_named(untrained_litert):
    with pytest.raises(ChildProcessError, match="Measuring nosuch of .*exit code 1: KeyError"):
        benchmark([untrained_litert], signatures=["nosuch"], **SHORT)
