"""Lines in, lines out."""

import codecs
import sys
from collections.abc import Iterable, Iterator
from itertools import islice

from keras_bahdanau.errors import InputError


def standard_input_lines() -> Iterator[str]:
    """The lines of standard input, without their ends.

    Raises:
        InputError: a line is not UTF-8.
    """
    if sys.stdin is None:
        return
    for number, line in enumerate(sys.stdin.buffer, start=1):
        if number == 1:
            line = line.removeprefix(codecs.BOM_UTF8)
        try:
            yield line.removesuffix(b"\n").removesuffix(b"\r").decode("utf-8")
        except UnicodeDecodeError as error:
            raise InputError(
                f"Expected UTF-8. Received: byte 0x{line[error.start]:02x} in line {number} of "
                "standard input"
            ) from error


def argument_texts(texts: list[str]) -> list[str]:
    """Texts of the command line as they are.

    Raises:
        InputError: one is not UTF-8.
    """
    for number, text in enumerate(texts, start=1):
        # Python keeps the bytes that it cannot read as lone surrogates.
        if any("\ud800" <= character <= "\udfff" for character in text):
            raise InputError(f"Expected UTF-8. Received: other bytes in text {number}")
    return texts


def blocks(items: Iterable, size: int) -> Iterator[list]:
    """Lists of `size` items, the last one shorter."""
    iterator = iter(items)
    while block := list(islice(iterator, size)):
        yield block


def one_line(text: str) -> str:
    """The text with a space for each tab and each character that Unicode calls a line break."""
    return " ".join(text.replace("\t", " ").splitlines())


def print_line(text: str):
    """Prints one line in UTF-8, whatever the locale."""
    if sys.stdout is None:
        raise OSError("Expected an open standard output. Received: a closed one")
    sys.stdout.buffer.write(text.encode("utf-8", errors="replace") + b"\n")
    sys.stdout.buffer.flush()
