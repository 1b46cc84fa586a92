"""Input lines, output lines, and the progress bar between them."""

import codecs
import sys
from collections.abc import Iterator

from keras_bahdanau.errors import InputError


def standard_input_lines() -> Iterator[str]:
    """Yields the lines of standard input, without line ends.

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
    """The lines of a file if given, else the texts if any, else the lines of standard input."""
    if path is None:
        return iter(texts or standard_input_lines())
    from keras_bahdanau.training.corpora.parallel_text import lines

    return lines(path)


def line_progress(path: str | None, done: int, is_shown: bool):
    """A progress bar (`tqdm`) over the lines of a file, on a terminal only.

    Args:
        path: the file; `None` if the number of lines is unknown.
        done: number of lines that are done already.
        is_shown: whether to draw it.
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
    """Whether a stream, which may be `None`, is a terminal."""
    return stream is not None and stream.isatty()


def argument_texts(texts: list[str]) -> list[str]:
    """Texts of the command line, unchanged.

    Raises:
        InputError: one is not UTF-8.
    """
    for number, text in enumerate(texts, start=1):
        # Python decodes invalid bytes of arguments as lone surrogates.
        if any("\ud800" <= character <= "\udfff" for character in text):
            raise InputError(f"Expected UTF-8. Received: invalid bytes in text {number}")
    return texts


def one_line(text: str) -> str:
    """The text with each tab and each line break, of all that Unicode has, as a space."""
    return " ".join(text.replace("\t", " ").splitlines())


def print_line(text: str):
    """Prints one line to standard output, in UTF-8 whatever the locale."""
    if sys.stdout is None:
        raise OSError("Expected an open standard output. Received: a closed one")
    sys.stdout.buffer.write(text.encode("utf-8", errors="replace") + b"\n")
    sys.stdout.buffer.flush()


def report_split(number: int, max_length: int | None, total: int | None = None):
    """Reports on standard error how many lines were translated in parts, if any.

    Args:
        number: how many.
        max_length: the model's limit in pieces; `None` if only a server knows it.
        total: number of all lines.
    """
    if number:
        limit = f" of {max_length} pieces" if max_length else ""
        share = f" of {total}" if total else ""
        print(
            f"note: lines longer than the model's limit{limit}, translated in parts: "
            f"{number}{share}",
            file=sys.stderr,
        )
