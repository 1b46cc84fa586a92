"""Writes alignments to a file whose suffix chooses the kind of picture."""

import os
from collections.abc import Sequence
from pathlib import Path

from keras_bahdanau.alignments.alignment import Alignment
from keras_bahdanau.alignments.heat_map import write_heat_map
from keras_bahdanau.alignments.page import write_page
from keras_bahdanau.errors import InputError

_WRITERS = {".png": write_heat_map, ".html": write_page}


def check_alignments_path(path: str | os.PathLike) -> None:
    """Raises `InputError` when no picture can be written to `path`, before any work is done."""
    suffix = Path(path).suffix
    if suffix.lower() not in _WRITERS:
        raise InputError(
            "The file for alignments must end in .png (heat map) or .html (page). "
            f"Received: {os.fspath(path)}"
        )
    if Path(path).is_dir():
        raise InputError(
            f"The file for alignments must not be a directory. Received: {os.fspath(path)}"
        )


def write_alignments(path: str | os.PathLike, sentences: Sequence[Alignment]) -> None:
    """Writes a heat map (`.png`) or a page (`.html`), as the suffix of `path` says.

    Args:
        path: the file to write; a file that is there is replaced only when all went well.
        sentences: what to draw, in this order.
    """
    check_alignments_path(path)
    _WRITERS[Path(path).suffix.lower()](path, sentences)
