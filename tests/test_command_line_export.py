import subprocess
from pathlib import Path

import pytest

from keras_bahdanau.command_line import export, models
from keras_bahdanau.command_line.export import export_chosen

FORMATS = ["saved-model", "litert"]


@pytest.fixture
def unloaded(monkeypatch):
    """Fails the test when a model is loaded, because the call was wrong before."""
    monkeypatch.setattr(models, "open_trained_translator", lambda path: pytest.fail("loaded"))


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


def test_a_saved_model_is_not_quantized(command, unloaded, tmp_path):
    arguments = "--format=saved-model", "--quantization=int8", f"--output={tmp_path / 'new'}"
    outcome = command("export", "m", *arguments)
    assert outcome.code == 2
    assert "Expected --quantization float32 with --format saved-model" in outcome.errors[0]
    assert not (tmp_path / "new").exists()


def test_a_litert_file_has_no_other_search(command, unloaded, tmp_path):
    outcome = command(
        "export", "m", "--format=litert", f"--output={tmp_path / 'new'}", "--n-best=3"
    )
    assert outcome.code == 2
    assert "Expected no option of a search but --beam-width" in outcome.errors[0]
    assert outcome.errors[0].endswith("Received: --n-best")


@pytest.mark.parametrize("kind", FORMATS)
def test_what_is_no_model(command, tmp_path, kind):
    outcome = command("export", tmp_path, "--format", kind, "--output", tmp_path / "new")
    assert outcome.code == 2
    (line,) = outcome.errors
    assert f"Expected a model directory. Received: {tmp_path}" in line
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
    """What a run on JAX starts at its end: a list of command lines, and of its golden samples."""
    started = []

    def run(program, check):
        samples = Path(program[-1]).read_text() if "--samples" in program else None
        started.append((program[3:9], samples))
        return subprocess.CompletedProcess(program, 0 if len(started) < 3 else 1)

    monkeypatch.setattr("keras.backend.backend", lambda: "jax")
    monkeypatch.setattr(export, "find_spec", lambda name: has_tensorflow or None)
    monkeypatch.setattr(export.subprocess, "run", run)
    return started


def test_on_another_backend_a_process_exports(monkeypatch, tmp_path):
    started = on_jax(monkeypatch, has_tensorflow=True)
    export_chosen(None, tmp_path, "both", samples=["a dog", "a cat"])
    assert started == [
        (["export", str(tmp_path), "--format", name, "--output", str(tmp_path / name)], samples)
        for name, samples in (("saved-model", None), ("litert", "a dog\na cat\n"))
    ]
    with pytest.raises(ChildProcessError, match="exit code 1: keras-bahdanau export .* litert"):
        export_chosen(None, tmp_path, "litert")


def test_without_tensorflow_a_line_says_how_to_export(monkeypatch, tmp_path, capsys):
    started = on_jax(monkeypatch, has_tensorflow=False)
    export_chosen(None, tmp_path, "litert")
    assert started == []
    assert capsys.readouterr().err == (
        "not exported, which takes TensorFlow: keras-bahdanau export "
        f"{tmp_path} --format litert --output {tmp_path / 'litert'}\n"
    )


@pytest.mark.parametrize("option", ["--samples=f", "--text"])
def test_samples_and_text_are_for_litert(command, unloaded, tmp_path, option):
    outcome = command("export", "m", "--format=saved-model", option, f"--output={tmp_path / 'new'}")
    assert outcome.code == 2
    name = option.split("=")[0]
    assert f"{name} with --format litert. Received: saved-model" in outcome.errors[0]


@pytest.mark.parametrize("options", [(), ("--text",)])
def test_the_litert_export_gets_its_options(command, monkeypatch, tmp_path, options):
    given = {}
    monkeypatch.setattr(models, "open_trained_translator", lambda path: path)
    monkeypatch.setattr(export, "_litert", lambda *arguments, **options: given.update(options))
    outcome = command("export", "m", "--format=litert", f"--output={tmp_path / 'new'}", *options)
    assert outcome.code == 0
    assert given == {"quantization": "float32", "samples": [], "text": bool(options)}


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
