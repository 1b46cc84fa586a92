import json
import subprocess
from pathlib import Path

import pytest

from keras_bahdanau import loading
from keras_bahdanau.command_line import export
from keras_bahdanau.command_line.export import export_chosen

FORMATS = ["saved-model", "litert"]


@pytest.fixture
def unloaded(monkeypatch):
    """Fails the test when a model is loaded, because the call was wrong before."""
    monkeypatch.setattr(loading, "open_translator", lambda path: pytest.fail("loaded"))


@pytest.mark.parametrize("kind", FORMATS)
def test_a_directory_that_holds_something(command, unloaded, tmp_path, kind):
    (tmp_path / "mine.txt").write_text("mine")
    outcome = command("export", "m", "--format", kind, "--output", tmp_path)
    assert outcome.code == 2
    (line,) = outcome.errors
    assert line.startswith("error: Expected a new ") and str(tmp_path) in line
    assert line.endswith(" mine.txt")
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


@pytest.mark.parametrize("kind", FORMATS)
def test_a_file(command, unloaded, tmp_path, kind):
    (tmp_path / "file").write_text("mine")
    outcome = command("export", "m", "--format", kind, "--output", tmp_path / "file")
    assert outcome.code == 2
    assert outcome.errors[0].endswith("file, a file")
    assert (tmp_path / "file").read_text() == "mine"


@pytest.mark.parametrize(
    "option", ["--quantization=int8", "--attention", "--shortlist=f", "--samples=f", "--text"]
)
def test_what_a_saved_model_does_not_have(command, unloaded, tmp_path, option):
    outcome = command("export", "m", "--format=saved-model", option, f"--output={tmp_path / 'new'}")
    assert outcome.code == 2
    name = option.split("=")[0]
    assert (
        f"Expected {name} with --format litert. Received: --format saved-model"
        in (outcome.errors[0])
    )
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("option", ["--sample", "--temperature=0.5", "--seed=1"])
def test_a_saved_model_does_not_sample(command, unloaded, tmp_path, option):
    outcome = command("export", "m", "--format=saved-model", option, f"--output={tmp_path / 'new'}")
    assert outcome.code == 2
    assert f"Received sampling options: {option.split('=')[0]}" in outcome.errors[0]
    assert not (tmp_path / "new").exists()


def test_a_litert_file_has_no_other_search(command, unloaded, tmp_path):
    outcome = command(
        "export", "m", "--format=litert", f"--output={tmp_path / 'new'}", "--n-best=3"
    )
    assert outcome.code == 2
    assert (
        "no search option but --beam-width, --length-penalty, --max-length" in (outcome.errors[0])
    )
    assert outcome.errors[0].endswith("Received: --n-best")


def test_sources_come_with_references(command, unloaded, tmp_path):
    outcome = command("export", "m", "--format=litert", "--source=f", f"--output={tmp_path / 'n'}")
    assert outcome.code == 2
    assert "--source and --reference together. Received: --source" in outcome.errors[0]


@pytest.mark.parametrize("kind", FORMATS)
def test_what_is_no_model(command, tmp_path, kind):
    outcome = command("export", tmp_path, "--format", kind, "--output", tmp_path / "new")
    assert outcome.code == 2
    (line,) = outcome.errors
    assert f"Expected a model directory. Received: no model directory at {tmp_path}: " in line
    assert not (tmp_path / "new").exists()


def test_an_export_is_not_exported_again(command, untrained_litert, tmp_path):
    arguments = ("--format=saved-model", f"--output={tmp_path / 'new'}")
    outcome = command("export", untrained_litert, *arguments)
    assert outcome.code == 2
    assert outcome.errors == [
        "error: Expected a trained model directory to export. "
        f"Received: {untrained_litert}, an export"
    ]
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    ("choice", "expected"),
    [("both", ["saved-model", "litert"]), ("litert", ["litert"]), ("none", [])],
)
def test_a_run_ends_with_the_exports_chosen(monkeypatch, tmp_path, choice, expected):
    made = []

    def export(name):
        def write(translator, output, **options):
            made.append(output.relative_to(tmp_path).as_posix())
            (output / "1").mkdir(parents=True)
            return output

        return write

    monkeypatch.setattr("keras_bahdanau.export.saved_model.export_saved_model", export("a"))
    monkeypatch.setattr("keras_bahdanau.export.litert.export_litert", export("b"))
    export_chosen(None, tmp_path, choice)
    assert made == expected
    export_chosen(None, tmp_path, choice)
    assert made == expected, "what is there already is not written again"


def on_jax(monkeypatch, has_tensorflow):
    """What a run on JAX starts at its end: a list of command lines, and of the files they get."""
    started = []

    def run(program, check):
        files = dict(zip(program[9::2], program[10::2], strict=True))
        started.append(
            (program[3:9], {name: Path(path).read_text() for name, path in files.items()})
        )
        return subprocess.CompletedProcess(program, 0 if len(started) < 3 else 1)

    monkeypatch.setattr("keras.backend.backend", lambda: "jax")
    monkeypatch.setattr(export, "find_spec", lambda name: has_tensorflow or None)
    monkeypatch.setattr(export.subprocess, "run", run)
    return started


def test_on_another_backend_a_process_exports(monkeypatch, tmp_path):
    started = on_jax(monkeypatch, has_tensorflow=True)
    pairs = [("a dog", "un perro"), ("a cat", "un gato")]
    export_chosen(None, tmp_path, "both", validation=pairs)
    sources, references = "a dog\na cat\n", "un perro\nun gato\n"
    files = {"--samples": sources, "--source": sources, "--reference": references}
    assert started == [
        (["export", str(tmp_path), "--format", name, "--output", str(tmp_path / name)], given)
        for name, given in (("saved-model", {}), ("litert", files))
    ]
    with pytest.raises(ChildProcessError, match="exit code 1: keras-bahdanau export .* litert"):
        export_chosen(None, tmp_path, "litert")


def test_without_tensorflow_a_line_says_how_to_export(monkeypatch, tmp_path, capsys):
    started = on_jax(monkeypatch, has_tensorflow=False)
    export_chosen(None, tmp_path, "litert")
    assert started == []
    assert capsys.readouterr().err == (
        "not exported, because TensorFlow is not installed: keras-bahdanau export "
        f"{tmp_path} --format litert --output {tmp_path / 'litert'}\n"
    )


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "place"), [("saved-model", "1"), ("litert", "translator.tflite")])
def test_an_export_translates_like_its_model(command, untrained_directory, tmp_path, kind, place):
    output = tmp_path / "exported"
    outcome = command("export", untrained_directory, "--format", kind, "--output", output)
    assert (outcome.code, outcome.output) == (0, [])
    (line,) = outcome.errors
    assert str(output) in line
    texts = ["the dog runs", "", "el gato <s>"]
    expected = command("translate", untrained_directory, *texts)
    assert command("translate", output / place, *texts) == expected
    assert command("translate", output, *texts) == expected
    outcome = command("translate", output, "--beam-width", "3", *texts)
    assert outcome.code == 2
    assert "fixed in the export. Received: 3" in outcome.errors[0]


@pytest.mark.slow
def test_the_options_of_a_litert_file(command, untrained_directory, tmp_path):
    texts = tmp_path / "texts"
    texts.write_text("the dog runs\nel gato rojo\n", encoding="utf-8")
    output = tmp_path / "exported"
    outcome = command(
        *("export", untrained_directory, "--format=litert", f"--output={output}"),
        *("--beam-width=2", "--length-penalty=0.5", "--max-length=7", "--max-source-length=9"),
        *("--attention", f"--shortlist={texts}", f"--source={texts}", f"--reference={texts}"),
        *("--quantization=int8", f"--calibration={texts}"),
    )
    assert outcome.code == 0, outcome.errors
    manifest = json.loads((output / "manifest.json").read_text(encoding="utf-8"))
    expected = {
        "beam_width": 2,
        "length_penalty": 0.5,
        "max_target_length": 7,
        "max_length": 9,
        "quantization": "int8",
        "calibrated": True,
    }
    assert expected.items() <= manifest.items()
    assert manifest["quality"]["sentences"] == 2
    assert manifest["shortlist_size"] < manifest["vocabulary_size"]
    assert manifest["signatures"]["translate"]["outputs"]["attention"]["shape"] == [1, 7, 9]
