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


def source_lines(path: str | None, texts: list[str]) -> Iterator[str]:
    """The lines of a file; or else texts; or else the lines of standard input."""
    if path is None:
        return iter(texts or standard_input_lines())
    from keras_bahdanau.training.corpora.parallel_text import lines

    return lines(path)


def line_progress(path: str | None, done: int, is_shown: bool):
    """A progress bar (`tqdm`) over the lines of a file, drawn where somebody watches.

    Args:
        path: the file; `None` for a number that is not known.
        done: how many lines are done already.
        is_shown: whether it is wanted at all.
    """
    from tqdm import tqdm

    total, is_shown = None, is_shown and is_terminal(sys.stderr)
    if is_shown and path is not None and not path.endswith(".gz"):
        with open(path, "rb") as file:
            total = sum(chunk.count(b"\n") for chunk in iter(lambda: file.read(1 << 20), b""))
    return tqdm(
        desc="translating",
        total=total,
        initial=done,
        unit=" lines",
        unit_scale=True,
        disable=not is_shown,
    )


def is_terminal(stream) -> bool:
    """Whether somebody sits at a stream, which may be `None`."""
    return stream is not None and stream.isatty()


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
