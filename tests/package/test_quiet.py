import logging
import os
import sys

import pytest

from keras_bahdanau.quiet import import_tensorflow_quietly, silenced_native_logs


def test_native_lines_are_dropped_inside_and_written_outside(capfd):
    os.write(2, b"before\n")
    with silenced_native_logs():
        os.write(2, b"I0000 noise\n")
    os.write(2, b"after\n")
    assert capfd.readouterr().err == "before\nafter\n"


def test_python_still_reaches_the_screen(capfd):
    with silenced_native_logs():
        print("own line", file=sys.stderr)
        os.write(2, b"noise\n")
    assert capfd.readouterr().err == "own line\n"


def test_an_exception_comes_out_and_the_screen_is_back(capfd):
    with pytest.raises(RuntimeError, match="inside"), silenced_native_logs():
        raise RuntimeError("inside")
    os.write(2, b"after\n")
    print("python", file=sys.stderr)
    assert capfd.readouterr().err == "after\npython\n"


def test_blocks_can_be_nested(capfd):
    with silenced_native_logs():
        with silenced_native_logs():
            os.write(2, b"noise\n")
        os.write(2, b"noise\n")
        print("inner", file=sys.stderr)
    os.write(2, b"after\n")
    assert capfd.readouterr().err == "inner\nafter\n"


def test_no_descriptor_is_left_open(capfd):
    def next_descriptor():
        descriptor = os.open(os.devnull, os.O_RDONLY)
        os.close(descriptor)
        return descriptor

    before = next_descriptor()
    for _ in range(3):
        with silenced_native_logs():
            pass
    assert next_descriptor() == before


def test_a_stream_that_is_no_file_stays_in_place(capsys):
    stream = sys.stderr
    with silenced_native_logs():
        assert sys.stderr is stream


def test_without_standard_error(monkeypatch):
    monkeypatch.setattr(sys, "stderr", None)
    with silenced_native_logs():
        pass
    assert sys.stderr is None


def test_tensorflow_logs_errors_only(capfd):
    import_tensorflow_quietly()
    assert "tensorflow" in sys.modules
    assert logging.getLogger("tensorflow").level == logging.ERROR
    assert capfd.readouterr().err == ""
