import json
import subprocess
import sys

import pytest

from keras_bahdanau.command_line import benchmark
from keras_bahdanau.export import device_benchmark

QUICK = ("--signatures", "encode", "--repeats", "1")


def test_the_choices_are_those_of_the_measurement():
    assert benchmark.SIGNATURES == device_benchmark.SIGNATURES


def test_the_table_is_printed_and_the_report_written(command, untrained_litert, tmp_path):
    (tmp_path / "texts").write_text("the dog\nel perro\n", encoding="utf-8")
    outcome = command(
        *("benchmark", untrained_litert, "--threads", "1", "2", "--repeats", "3"),
        *("--texts", tmp_path / "texts", "--json", tmp_path / "report.json"),
        *("--signatures", "translate"),
    )
    assert (outcome.code, outcome.errors) == (0, [])
    report = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert outcome.output == device_benchmark.markdown(report).split("\n")
    assert [result["threads"] for result in report["results"]] == [1, 2]
    assert {result["calls"] for result in report["results"]} == {6}


def test_it_needs_neither_tensorflow_nor_keras(untrained_litert):
    code = (
        "import sys; from keras_bahdanau.command_line import main\n"
        "code = main(sys.argv[1:])\n"
        "sys.exit(code or {'keras', 'tensorflow'} & set(sys.modules) or 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "benchmark", str(untrained_litert), *QUICK],
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "| encode |" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "required: DIR"),
        (["nosuch"], "nosuch/manifest.json, which cannot be read"),
        (["nosuch", "--threads", "0"], "at least 1, received 0"),
        (["nosuch", "--signatures", "decode"], "invalid choice: 'decode'"),
        (["nosuch", "--api", "gpu"], "invalid choice: 'gpu'"),
        (["nosuch", "--texts", "nosuch.txt"], "nosuch.txt"),
    ],
)
def test_wrong_calls_are_one_line_and_exit_code_2(command, arguments, message):
    outcome = command("benchmark", *arguments)
    assert (outcome.code, outcome.output) == (2, [])
    assert len(outcome.errors) == 1 and message in outcome.errors[0]


def test_a_file_of_blank_lines_is_refused(command, untrained_litert, tmp_path):
    (tmp_path / "texts").write_text("\n \n", encoding="utf-8")
    outcome = command("benchmark", untrained_litert, "--texts", tmp_path / "texts")
    assert outcome.code == 2
    assert outcome.errors == ["error: Expected texts to translate. Received: blank ones only"]
