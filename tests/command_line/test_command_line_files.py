"""`keras-bahdanau translate` from file to file."""

import pytest

from keras_bahdanau import loading


@pytest.fixture
def files(tmp_path):
    """An input file of five lines, and a path for the output."""
    source = tmp_path / "source.txt"
    source.write_text("the dog\n\nel gato\nthe cat\ncasa\n")
    return source, tmp_path / "target.txt"


def test_from_file_to_file(command, loaded, files):
    source, target = files
    outcome = command("translate", "m", "--input", source, "--output", target)
    assert (outcome.code, outcome.output, outcome.errors) == (0, [], [])
    assert target.read_text().splitlines() == loaded.translate(source.read_text().splitlines())
    assert sorted(path.name for path in target.parent.iterdir()) == ["source.txt", "target.txt"]


def test_a_run_that_was_killed_goes_on(command, loaded, files, monkeypatch):
    source, target = files
    monkeypatch.setattr("keras_bahdanau.command_line.translate.BLOCK", 2)
    call = ("translate", "m", "--input", source, "--output", target, "--n-best", "2")
    blocks = []

    class Failing:
        def translate_n_best(self, texts, **options):
            blocks.append(texts)
            if len(blocks) == 2:
                raise KeyboardInterrupt
            return loaded.translate_n_best(texts, **options)

    with monkeypatch.context() as patch:
        patch.setattr(loading, "open_translator", lambda *arguments, **options: Failing())
        assert command(*call).code == 1
    assert not target.exists()
    refused = command(*call)
    assert refused.code == 2 and "Expected --resume" in refused.errors[0]
    other = command(*call, "--resume", "--beam-width", "3")
    assert other.code == 2 and "beam_width None instead of 3" in other.errors[0]
    outcome = command(*call, "--resume")
    assert (outcome.code, outcome.errors) == (0, [])
    expected = loaded.translate(source.read_text().splitlines(), n_best=2)
    assert [line.split("\t") for line in target.read_text().splitlines()] == expected
    assert blocks == [["the dog", ""], ["el gato", "the cat"]]
    again = command(*call, "--resume")
    assert (again.code, again.errors) == (0, [f"already complete: {target}"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--input", "f", "text"], "no such file: f"),
        (["--resume"], "Expected --input and --output with --resume"),
        (["--resume", "--output", "f", "text"], "Expected --input and --output with --resume"),
    ],
)
def test_files_that_do_not_fit(command, monkeypatch, arguments, message):
    monkeypatch.setattr(
        loading, "open_translator", lambda *arguments, **options: pytest.fail("loaded")
    )
    outcome = command("translate", "m", *arguments)
    assert outcome.code == 2
    assert message in outcome.errors[0]


def test_texts_and_a_file(command, files):
    outcome = command("translate", "m", "--input", files[0], "text")
    assert outcome.errors == ["error: Expected --input or texts. Received: both"]


def test_a_litert_file_that_fails_in_a_run_is_an_error_of_one_line(
    command, untrained_litert, monkeypatch
):
    from keras_bahdanau.export.runtime import ExportedFileError, LiteTranslator

    def search(self, source_ids, beam_width):
        raise ExportedFileError("Expected a whole file. Received: a damaged one")

    monkeypatch.setattr(LiteTranslator, "search", search)
    outcome = command("translate", untrained_litert, "the dog runs")
    assert outcome.code == 2
    assert outcome.errors == ["error: Expected a whole file. Received: a damaged one"]
