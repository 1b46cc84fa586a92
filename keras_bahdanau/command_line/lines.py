"""Lines in, lines out."""

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
    if sys.stdin.isatty():
        print("Type a line to translate; end with Ctrl-D.", file=sys.stderr)
    for number, line in enumerate(sys.stdin.buffer, start=1):
        try:
            yield line.removesuffix(b"\n").removesuffix(b"\r").decode("utf-8")
        except UnicodeDecodeError as error:
            raise InputError(
                f"Expected UTF-8. Received: byte 0x{line[error.start]:02x} in line {number} of "
                "standard input"
            ) from error


def blocks(items: Iterable, size: int) -> Iterator[list]:
    """Lists of `size` items, the last one shorter."""
    iterator = iter(items)
    while block := list(islice(iterator, size)):
        yield block


def print_line(text: str):
    """Prints one line in UTF-8, whatever the locale; a line break inside becomes a space."""
    line = " ".join(text.splitlines()) if len(text.splitlines()) > 1 else text
    sys.stdout.buffer.write(line.encode("utf-8", errors="replace") + b"\n")
    sys.stdout.buffer.flush()
