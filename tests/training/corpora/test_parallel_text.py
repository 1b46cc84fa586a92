import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_bahdanau.errors import InputError
from keras_bahdanau.training.corpora.parallel_text import (
    ParallelFiles,
    TsvFile,
    blocks,
    lines,
    read_parallel,
)


def write(path, content: bytes):
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path


def one_line(error) -> str:
    message = str(error.value)
    assert "\n" not in message
    return message


LINES = st.lists(
    st.text(st.characters(exclude_characters="\n", exclude_categories=["Cs"])).filter(
        lambda line: not line.endswith("\r") and not line.startswith("\ufeff")
    ),
    min_size=1,
)


@given(texts=LINES, end=st.sampled_from(["\n", "\r\n"]), compressed=st.booleans())
def test_lines_come_back_as_they_were_written(tmp_path_factory, texts, end, compressed):
    path = tmp_path_factory.mktemp("text") / ("a.gz" if compressed else "a.txt")
    write(path, "".join(text + end for text in texts).encode())
    assert list(lines(path)) == texts


@pytest.mark.parametrize("character", ["\u2028", "\u2029", "\x85", "\x0b", "\x0c", "\x1c", "\r"])
def test_only_newlines_end_a_line(tmp_path, character):
    path = write(tmp_path / "a", f"one{character}two\nthree\n".encode())
    assert list(lines(path)) == [f"one{character}two", "three"]


def test_the_last_line_needs_no_newline(tmp_path):
    assert list(lines(write(tmp_path / "a", b"one\ntwo"))) == ["one", "two"]
    assert list(lines(write(tmp_path / "b", b"one\n\n"))) == ["one", ""]


def test_byte_order_mark_is_dropped_at_the_start_only_and_nul_is_kept(tmp_path):
    path = write(tmp_path / "a", b"\xef\xbb\xbfone\n\xef\xbb\xbftwo\x00\n")
    assert list(lines(path)) == ["one", "\ufefftwo\x00"]


@pytest.mark.parametrize("name", ["a.txt", "a.gz"])
@pytest.mark.parametrize("content", [b"", b"\xef\xbb\xbf"])
def test_empty_file(tmp_path, name, content):
    path = write(tmp_path / name, content)
    with pytest.raises(InputError, match="empty") as error:
        list(lines(path))
    assert str(path) in one_line(error)


def test_missing_file_and_directory(tmp_path):
    with pytest.raises(InputError, match="no such file") as error:
        list(lines(tmp_path / "absent"))
    assert str(tmp_path / "absent") in one_line(error)
    with pytest.raises(InputError, match="directory") as error:
        list(lines(tmp_path))
    assert str(tmp_path) in one_line(error)


@pytest.mark.parametrize("name", ["a.txt", "a.gz"])
def test_bytes_that_are_not_utf8_name_file_and_line(tmp_path, name):
    path = write(tmp_path / name, b"one\ntwo\nthr\xffee\n")
    with pytest.raises(InputError, match="0xff.*line 3, at byte 4") as error:
        list(lines(path))
    assert str(path) in one_line(error)


@pytest.mark.parametrize("damage", ["plain", "short", "changed"])
def test_broken_gzip(tmp_path, damage):
    content = gzip.compress("".join(f"line {i}\n" for i in range(1000)).encode())
    changed = content[:-8] + b"\x00" * 8
    path = tmp_path / "a.gz"
    path.write_bytes({"plain": b"text\n", "short": content[:-20], "changed": changed}[damage])
    with pytest.raises(InputError, match="broken") as error:
        list(lines(path))
    assert str(path) in one_line(error)


def test_parallel_files_keep_blank_lines(tmp_path):
    source = write(tmp_path / "s", b"a\n\nb\n")
    target = write(tmp_path / "t.gz", b"x\ny\n \n")
    assert read_parallel(source, target) == [("a", "x"), ("", "y"), ("b", " ")]


def test_different_line_counts_are_both_named(tmp_path):
    source, target = write(tmp_path / "s", b"a\nb\n"), write(tmp_path / "t", b"x\ny\nz\n")
    with pytest.raises(InputError, match="2 lines in .*s, 3 lines in .*t") as error:
        read_parallel(source, target)
    one_line(error)


def test_tsv(tmp_path):
    assert list(TsvFile(write(tmp_path / "a", b"a\tx\n\ty\n"))) == [("a", "x"), ("", "y")]


@pytest.mark.parametrize(("line", "columns"), [(b"b", 1), (b"b\ty\tz", 3), (b"", 1)])
def test_tsv_with_other_columns_names_file_and_line(tmp_path, line, columns):
    path = write(tmp_path / "a.tsv", b"a\tx\n" + line + b"\n")
    with pytest.raises(InputError, match=f"{columns} in .*a.tsv, line 2") as error:
        list(TsvFile(path))
    one_line(error)


@pytest.mark.parametrize("content", [b"a\tx\nb\ty\n", b"a\tx\r\nb\ty"])
def test_files_can_be_read_any_number_of_times(tmp_path, content):
    tsv = TsvFile(write(tmp_path / "a.tsv.gz", content))
    side = write(tmp_path / "side", b"a\nb\n")
    for pairs, expected in (
        (tsv, [("a", "x"), ("b", "y")]),
        (ParallelFiles(side, side), [("a", "a"), ("b", "b")]),
    ):
        assert list(pairs) == list(pairs) == expected


def test_files_are_read_only_as_far_as_asked_for(tmp_path):
    pairs = iter(TsvFile(write(tmp_path / "a.tsv", b"a\tx\nb\n")))
    assert next(pairs) == ("a", "x")
    with pytest.raises(InputError, match="line 2"):
        next(pairs)


def test_a_missing_side_is_found_before_anything_is_read(tmp_path):
    with pytest.raises(InputError, match="no such file: .*absent"):
        ParallelFiles(write(tmp_path / "s", b"a\n"), tmp_path / "absent")


def test_blocks_hold_everything_in_order():
    assert list(blocks(range(5), 2)) == [[0, 1], [2, 3], [4]]
    assert list(blocks([])) == []
