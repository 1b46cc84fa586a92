"""Readers of parallel text: two files side by side, or one with two columns."""

import gzip
import os
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO, NamedTuple

from keras_bahdanau.errors import InputError

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class TrainingPairs(NamedTuple):
    """The pairs of a corpus that a model can learn from.

    Attributes:
        pairs: list of (source, target), neither of them blank.
        line_numbers: for each pair the line that it stood on, counted from 1.
        blank: how many pairs were left out because a side was empty or only white space.
    """

    pairs: list[tuple[str, str]]
    line_numbers: list[int]
    blank: int


def read_lines(path: str | os.PathLike) -> list[str]:
    """Reads the lines of a UTF-8 text file, which may be compressed.

    A line ends with `\\n` or `\\r\\n` and with nothing else: other characters that Unicode calls
    line ends (U+2028, U+0085, vertical tab, ...) stay inside their line, because a corpus is
    aligned by `\\n` alone. A byte order mark at the start of the file is dropped; NUL characters
    stay where they are.

    Args:
        path: the file. A name that ends with `.gz` is read through gzip.

    Returns:
        List of lines without their line ends. Blank lines are kept.

    Raises:
        InputError: if the file is missing, is a directory, cannot be read, is empty, is broken
            gzip or is not UTF-8 (with the line number).
    """
    path = Path(path)
    if path.is_dir():
        raise InputError(f"Expected a text file. Received a directory: {path}")
    lines = []
    try:
        with _open_bytes(path) as file:
            for number, line in enumerate(file, start=1):
                if number == 1:
                    line = line.removeprefix(_BYTE_ORDER_MARK)
                if line:
                    lines.append(_decode(_without_end(line), path, number))
    except FileNotFoundError:
        raise InputError(f"Expected a text file. There is no such file: {path}") from None
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise InputError(f"Expected a gzip file. {path} is broken: {error}") from None
    except OSError as error:
        raise InputError(f"Cannot read {path}: {error.strerror or error}") from None
    if not lines:
        raise InputError(f"Expected a text file with at least one line. It is empty: {path}")
    return lines


def read_parallel(
    source_path: str | os.PathLike, target_path: str | os.PathLike
) -> list[tuple[str, str]]:
    """Reads two files in which line i of one is the translation of line i of the other.

    Args:
        source_path: the source text, read by `read_lines`.
        target_path: the target text, read by `read_lines`.

    Returns:
        List of (source, target), blank lines included.

    Raises:
        InputError: if a file cannot be read or the line counts differ.
    """
    source, target = read_lines(source_path), read_lines(target_path)
    if len(source) != len(target):
        raise InputError(
            "Expected two files of the same number of lines. "
            f"Received: {len(source)} lines in {source_path}, {len(target)} lines in {target_path}"
        )
    return list(zip(source, target, strict=True))


def read_tsv(path: str | os.PathLike) -> list[tuple[str, str]]:
    """Reads a file of two columns, source and target, with one tab between them.

    Args:
        path: the file, read by `read_lines`. There is no header and no quoting.

    Returns:
        List of (source, target).

    Raises:
        InputError: if the file cannot be read or a line has not exactly two columns.
    """
    pairs = []
    for number, line in enumerate(read_lines(path), start=1):
        columns = line.split("\t")
        if len(columns) != 2:
            raise InputError(
                "Expected two columns with one tab between them. "
                f"Received: {len(columns)} in {path}, line {number}"
            )
        pairs.append((columns[0], columns[1]))
    return pairs


def without_blank_pairs(pairs: Iterable[tuple[str, str]]) -> TrainingPairs:
    """Leaves out the pairs with a blank side, for training (evaluation keeps every line).

    Args:
        pairs: (source, target) in the order of their lines.

    Returns:
        `TrainingPairs`.

    Raises:
        InputError: if no pair is left.
    """
    kept, line_numbers, blank = [], [], 0
    for number, (source, target) in enumerate(pairs, start=1):
        if source.strip() and target.strip():
            kept.append((source, target))
            line_numbers.append(number)
        else:
            blank += 1
    if not kept:
        raise InputError(
            "Expected at least one pair with text on both sides. "
            f"Received: {blank} pairs with a blank side and no other"
        )
    return TrainingPairs(kept, line_numbers, blank)


def _open_bytes(path: Path) -> BinaryIO:
    # Iterating over a binary file splits at b"\n" only, which text mode would not.
    return gzip.open(path, "rb") if path.suffix == ".gz" else open(path, "rb")


def _without_end(line: bytes) -> bytes:
    return line[:-1].removesuffix(b"\r") if line.endswith(b"\n") else line


def _decode(line: bytes, path: Path, number: int) -> str:
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InputError(
            f"Expected UTF-8. Received: byte 0x{line[error.start]:02x} in {path}, line {number}, "
            f"at byte {error.start + 1} of the line"
        ) from None
