import json

import pytest

from keras_bahdanau.command_line.results import ResultFile
from keras_bahdanau.errors import InputError

ORIGIN = {"model": "m", "bytes of input": 12}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "out.txt"


def left(path):
    return sorted(file.name for file in path.parent.iterdir())


def interrupt(path, lines, tail=""):
    """A run that is killed after some lines, and maybe within one."""
    with pytest.raises(KeyboardInterrupt), ResultFile(path, ORIGIN, resume=False) as results:
        results.write(lines)
        raise KeyboardInterrupt
    with open(path.with_name("out.txt.part"), "a", encoding="utf-8") as file:
        file.write(tail)


def test_a_whole_run_leaves_the_file_alone(path):
    path.write_text("old")
    with ResultFile(path, ORIGIN, resume=False) as results:
        results.write(["a", "ñ"])
        assert path.read_text() == "old"
        results.write([])
        results.write([""])
    assert path.read_text(encoding="utf-8") == "a\nñ\n\n"
    assert left(path) == ["out.txt"]


@pytest.mark.parametrize("tail", ["", "thr"])
def test_a_killed_run_goes_on_behind_its_last_whole_line(path, tail):
    interrupt(path, ["one", "two"], tail)
    assert left(path) == ["out.txt.part", "out.txt.part.json"]
    results = ResultFile(path, ORIGIN, resume=True)
    assert (results.done, results.is_finished) == (2, False)
    with results:
        results.write(["three"])
    assert path.read_text() == "one\ntwo\nthree\n"
    assert left(path) == ["out.txt"]


def test_a_run_killed_in_its_first_line_begins_anew(path):
    interrupt(path, [], "o")
    with ResultFile(path, ORIGIN, resume=True) as results:
        assert results.done == 0
        results.write(["one"])
    assert path.read_text() == "one\n"


def test_what_is_left_is_not_lost_without_being_asked(path):
    interrupt(path, ["one"])
    with pytest.raises(InputError, match="Expected --resume, .* left out.txt.part"):
        ResultFile(path, ORIGIN, resume=False)
    assert path.with_name("out.txt.part").read_text() == "one\n"


def test_another_call_does_not_go_on(path):
    interrupt(path, ["one"])
    with pytest.raises(InputError, match="it had bytes of input 12 instead of 13, model m instead"):
        ResultFile(path, {"model": "n", "bytes of input": 13}, resume=True)
    path.with_name("out.txt.part.json").write_text("[")
    with pytest.raises(InputError, match="Expected the record of an interrupted run"):
        ResultFile(path, ORIGIN, resume=True)
    assert path.with_name("out.txt.part").read_text() == "one\n"


def test_nothing_left_begins_anew_or_is_finished(path):
    assert not ResultFile(path, ORIGIN, resume=True).is_finished
    with ResultFile(path, ORIGIN, resume=True) as results:
        results.write(["one"])
    assert ResultFile(path, ORIGIN, resume=True).is_finished
    assert not ResultFile(path, ORIGIN, resume=False).is_finished


def test_the_note_is_json(path):
    interrupt(path, ["one"])
    assert json.loads(path.with_name("out.txt.part.json").read_text()) == ORIGIN


def test_a_directory_is_no_file(tmp_path):
    with pytest.raises(InputError, match="a directory$"):
        ResultFile(tmp_path, ORIGIN, resume=False)
