"""Readers of parallel text: two aligned files, or one TSV file of two columns."""

import gzip
import os
import zlib
from collections.abc import Iterable, Iterator
from itertools import islice, zip_longest
from pathlib import Path
from typing import BinaryIO

from keras_bahdanau.errors import InputError

BLOCK_SIZE = 1024
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class ParallelFiles:
    """Two aligned files: line i of one is the translation of line i of the other.

    Iteration reads them line by line and yields (source, target), blank lines included. It can be
    repeated, and memory holds one line of each. It raises InputError if a file cannot be read (see
    `lines`), and at the end if the line counts differ.

    Args:
        source_path: the source text, UTF-8, plain or `.gz`.
        target_path: the target text, likewise.

    Raises:
        InputError: a file does not exist.
    """

    def __init__(self, source_path: str | os.PathLike, target_path: str | os.PathLike) -> None:
        self.source_path = source_path
        self.target_path = target_path
        for path in (source_path, target_path):
            check_is_file(path)

    def __iter__(self) -> Iterator[tuple[str, str]]:
        counts = [0, 0]
        for source, target in zip_longest(lines(self.source_path), lines(self.target_path)):
            counts[0] += source is not None
            counts[1] += target is not None
            if counts[0] == counts[1]:
                yield source, target
        if counts[0] != counts[1]:
            raise InputError(
                "Expected two files of the same number of lines. Received: "
                f"{counts[0]} lines in {self.source_path}, {counts[1]} lines in {self.target_path}"
            )


class TsvFile:
    """A TSV file of two columns, source and target.

    Iteration reads it line by line and yields (source, target). It can be repeated. It raises
    InputError if the file cannot be read (see `lines`) or a line does not have exactly two columns.

    Args:
        path: the file, UTF-8, plain or `.gz`, without header and quoting.

    Raises:
        InputError: the file does not exist.
    """

    def __init__(self, path: str | os.PathLike) -> None:
        self.path = path
        check_is_file(path)

    def __iter__(self) -> Iterator[tuple[str, str]]:
        for number, line in enumerate(lines(self.path), start=1):
            columns = line.split("\t")
            if len(columns) != 2:
                raise InputError(
                    "Expected two columns with one tab between them. "
                    f"Received: {len(columns)} in {self.path}, line {number}"
                )
            yield columns[0], columns[1]


def read_parallel(
    source_path: str | os.PathLike, target_path: str | os.PathLike
) -> list[tuple[str, str]]:
    """Reads `ParallelFiles` into a list of (source, target)."""
    return list(ParallelFiles(source_path, target_path))


def lines(path: str | os.PathLike) -> Iterator[str]:
    """Yields the lines of a UTF-8 text file, which may be compressed.

    A line ends with `\\n` or `\\r\\n` and with nothing else: other characters that Unicode calls
    line ends (U+2028, U+0085, vertical tab, ...) stay inside their line, because corpora are
    aligned by `\\n` alone. A byte order mark at the start of the file is dropped; NUL characters
    are kept.

    Args:
        path: the file. A name that ends with `.gz` is read through gzip.

    Yields:
        Lines without their line ends. Blank lines are kept.

    Raises:
        InputError: during iteration, if the file is missing, a directory, unreadable, empty,
            damaged gzip or not UTF-8 (with the line number).
    """
    path = Path(path)
    check_is_file(path)
    is_empty = True
    try:
        with _open_bytes(path) as file:
            for number, line in enumerate(file, start=1):
                if number == 1:
                    line = line.removeprefix(_BYTE_ORDER_MARK)
                if line:
                    is_empty = False
                    yield _decode(_without_end(line), path, number)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise InputError(f"Expected a gzip file. {path} is broken: {error}") from None
    except OSError as error:
        raise InputError(f"Cannot read {path}: {error.strerror or error}") from None
    if is_empty:
        raise InputError(f"Expected a text file with at least one line. It is empty: {path}")


def check_is_file(path: str | os.PathLike):
    """Raises InputError if a path is a directory or does not exist."""
    path = Path(path)
    if path.is_dir():
        raise InputError(f"Expected a text file. Received a directory: {path}")
    if not path.exists():
        raise InputError(f"Expected a text file. There is no such file: {path}")


def blocks(items: Iterable, size: int = BLOCK_SIZE) -> Iterator[list]:
    """Yields lists of `size` items; the last one may be shorter."""
    iterator = iter(items)
    while block := list(islice(iterator, size)):
        yield block


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
