import io
import sys

import pytest

from keras_bahdanau.command_line.lines import (
    argument_texts,
    one_line,
    print_line,
    report_split,
    standard_input_lines,
)
from keras_bahdanau.errors import InputError


@pytest.fixture
def read(monkeypatch):
    def read(content):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))
        return list(standard_input_lines())

    return read


@pytest.mark.parametrize(
    ("content", "lines"),
    [
        (b"", []),
        (b"\n", [""]),
        (b"a\nb\n", ["a", "b"]),
        (b"a\nb", ["a", "b"]),
        (b"a\r\nb\r\n", ["a", "b"]),
        (b"a\rb\n", ["a\rb"]),
        (b"\n\na\n\n", ["", "", "a", ""]),
        ("a\u2028b\x85c\vd\fe\x1cf\n".encode(), ["a\u2028b\x85c\vd\fe\x1cf"]),
        (b"nul\x00here\n", ["nul\0here"]),
        (b"\xef\xbb\xbfa\n\xef\xbb\xbfb\n", ["a", "\ufeffb"]),
    ],
)
def test_lines_end_with_the_newline_alone(read, content, lines):
    assert read(content) == lines


def test_bytes_that_are_not_utf_8_are_named_with_their_line(read):
    with pytest.raises(InputError, match="byte 0xff in line 2 of standard input"):
        read(b"good\nbad \xff\n")


def test_no_standard_input(monkeypatch):
    monkeypatch.setattr(sys, "stdin", None)
    assert list(standard_input_lines()) == []


def test_arguments_of_other_bytes():
    assert argument_texts(["a", "ñ🙂"]) == ["a", "ñ🙂"]
    with pytest.raises(InputError, match="Expected UTF-8. Received: invalid bytes in text 2"):
        argument_texts(["a", b"\xff".decode("utf-8", "surrogateescape")])


@pytest.mark.parametrize(
    ("arguments", "limit", "count"),
    [
        ((3, 24), " of 24 pieces", "3"),
        ((3, 24, 9), " of 24 pieces", "3 of 9"),
        ((3, None), "", "3"),
    ],
)
def test_lines_in_parts_are_reported(capsys, arguments, limit, count):
    report_split(*arguments)
    assert capsys.readouterr() == (
        "",
        f"note: lines longer than the model's limit{limit}, translated in parts: {count}\n",
    )


def test_nothing_is_reported_where_no_line_is_long(capsys):
    report_split(0, 24)
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("plain text", "plain text"),
        ("", ""),
        ("a\nb", "a b"),
        ("a\n", "a"),
        ("\r\n", ""),
        ("a\u2028b\u2029c\x85d\ve\ff\x1cg", "a b c d e f g"),
        ("a\tb", "a b"),
        ("e\u0301 שלום 🙂", "e\u0301 שלום 🙂"),
    ],
)
def test_one_line(text, line):
    assert one_line(text) == line


def test_a_line_is_printed_in_utf_8_whatever_the_locale(monkeypatch):
    buffer = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(buffer, encoding="ascii"))
    print_line("ñ🙂")
    assert buffer.getvalue() == "ñ🙂\n".encode()
