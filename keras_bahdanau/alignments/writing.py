"""Writes alignments to a file: a page (`.html`) or a heat map (`.png`)."""

import html
import importlib.resources
import json
import os
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from keras_bahdanau.alignments.alignment import Alignment
from keras_bahdanau.alignments.heat_map import write_heat_map
from keras_bahdanau.errors import InputError
from keras_bahdanau.files import atomic_path

_HTML_IN_JSON = {ord("<"): "\\u003c", ord(">"): "\\u003e", ord("&"): "\\u0026"}


def write_page(
    path: str | os.PathLike, sentences: Sequence[Alignment], title: str = "Alignments"
) -> None:
    """Writes a page that needs nothing but itself: no network, no server, one file.

    A reader who points at a target word (mouse, touch or keyboard) sees the source words in
    proportion to their attention weights, and the other way round.

    Args:
        path: the file to write; a file that is there is replaced only when all went well.
        sentences: the sentences in the order of the page; a blank one keeps its number.
        title: the heading of the page.
    """
    values = {"title": html.escape(_as_text(title)), "data": _page_data(sentences)}
    template = importlib.resources.files("keras_bahdanau.alignments").joinpath("page.html")
    # One pass, so that a text that looks like a placeholder stays a text.
    page = re.sub(
        r"\{\{(title|data)\}\}", lambda match: values[match[1]], template.read_text("utf-8")
    )
    with atomic_path(path) as temporary:
        temporary.write_text(page, encoding="utf-8")


def _page_data(sentences: Sequence[Alignment]) -> str:
    """JSON in ASCII that cannot end the element it stands in, with weights in thousandths."""
    data = {
        "sentences": [
            {
                "heading": _as_text(sentence.heading(number)),
                "source": [_as_text(word) for word in sentence.source_words],
                "target": [_as_text(word) for word in sentence.target_words],
                "weights": np.rint(1000 * sentence.weights).astype(int).tolist(),
            }
            for number, sentence in enumerate(sentences, start=1)
        ]
    }
    text = json.dumps(data, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return text.translate(_HTML_IN_JSON)


def _as_text(string: str) -> str:
    """Half a surrogate pair is no text: no file can hold it, and browsers crash on copying it."""
    return re.sub("[\ud800-\udfff]", "\ufffd", string)


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
