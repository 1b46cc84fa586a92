"""Writes alignments to a file, by suffix: interactive page (`.html`) or heat map (`.png`)."""

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

_ESCAPES = {ord("<"): "\\u003c", ord(">"): "\\u003e", ord("&"): "\\u0026"}


def write_alignments(path: str | os.PathLike, sentences: Sequence[Alignment]) -> None:
    """Writes a heat map (`.png`) or an interactive page (`.html`), by the suffix of `path`.

    Args:
        path: the file to write, atomically.
        sentences: the sentences, in the order of the file.

    Raises:
        InputError: see `check_alignments_path` and `write_heat_map`.
    """
    check_alignments_path(path)
    _WRITERS[Path(path).suffix.lower()](path, sentences)


def check_alignments_path(path: str | os.PathLike) -> None:
    """Raises `InputError` if `path` has another suffix or is a directory."""
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


def write_page(
    path: str | os.PathLike, sentences: Sequence[Alignment], title: str = "Alignments"
) -> None:
    """Writes a self-contained HTML page: one file, no network, no server.

    Selecting a target word (mouse, touch or keyboard) colours the source words by their attention
    weights, and the other way round.

    Args:
        path: the file to write, atomically.
        sentences: the sentences in the order of the page; a blank one keeps its number.
        title: str, the heading of the page.
    """
    values = {"title": html.escape(_without_surrogates(title)), "data": _page_data(sentences)}
    template = importlib.resources.files("keras_bahdanau.alignments").joinpath("page.html")
    # In one pass: placeholders inside a title or a sentence are not replaced.
    page = re.sub(
        r"\{\{(title|data)\}\}", lambda match: values[match[1]], template.read_text("utf-8")
    )
    with atomic_path(path) as temporary:
        temporary.write_text(page, encoding="utf-8")


def _page_data(sentences: Sequence[Alignment]) -> str:
    """ASCII JSON that is safe inside a script element; weights in thousandths."""
    data = {
        "sentences": [
            {
                "heading": _without_surrogates(sentence.heading(number)),
                "source": [_without_surrogates(word) for word in sentence.source_words],
                "target": [_without_surrogates(word) for word in sentence.target_words],
                "weights": np.rint(1000 * sentence.weights).astype(int).tolist(),
            }
            for number, sentence in enumerate(sentences, start=1)
        ]
    }
    text = json.dumps(data, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return text.translate(_ESCAPES)


def _without_surrogates(string: str) -> str:
    """Replaces lone surrogates: UTF-8 cannot encode them, and browsers crash on copying them."""
    return re.sub("[\ud800-\udfff]", "\ufffd", string)


_WRITERS = {".png": write_heat_map, ".html": write_page}
