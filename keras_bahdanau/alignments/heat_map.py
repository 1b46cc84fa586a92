"""Heat maps of alignments in one PNG, one below the other."""

import math
import os
import unicodedata
import warnings
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from keras_bahdanau.alignments.alignment import Alignment
from keras_bahdanau.errors import InputError
from keras_bahdanau.files import atomic_path

DOTS_PER_INCH = 120
MAX_PIXELS = 64_000_000
MAX_SIDE_PIXELS = 60_000

# Layout, in inches.
_CELL = 0.3
_GAP = 0.09
_MARGIN = 0.25
_HEADING_HEIGHT = 0.3
_BLANK_HEIGHT = 0.3
_FOOTER_HEIGHT = 0.75
_COLOUR_BAR_WIDTH = 2.2
_COLOUR_BAR_HEIGHT = 0.12

_ROTATION = 60
_FONT_SIZE = 10
_LONGEST_LABEL = 28
# DejaVu Sans comes with matplotlib and has Latin, Greek, Cyrillic, Arabic and Hebrew; the others
# are fallbacks for other scripts, where they are installed.
_FONTS = (
    "DejaVu Sans",
    "Noto Sans CJK JP",
    "Noto Sans CJK SC",
    "Hiragino Sans",
    "PingFang SC",
    "Yu Gothic",
    "Microsoft YaHei",
    "Malgun Gothic",
    "Noto Sans Devanagari",
    "Noto Sans Thai",
    "Nirmala UI",
    "Leelawadee UI",
    "Arial Unicode MS",
    "Noto Emoji",
)


class _Panel(NamedTuple):
    """Layout of one sentence, in inches."""

    heading: str
    source_labels: list[str]
    target_labels: list[str]
    weights: np.ndarray
    left: float
    top: float
    width: float
    height: float
    full_width: float
    full_height: float


def write_heat_map(path: str | os.PathLike, sentences: Sequence[Alignment]) -> None:
    """Writes one PNG with a heat map of the attention weights of each sentence.

    Source words are the columns, target words the rows. The picture grows with the number of
    words. The colour scale always runs from 0 to 1, so pictures can be compared. A character
    without an installed font is drawn as a box.

    Args:
        path: the file to write, atomically.
        sentences: the sentences, drawn from top to bottom. Of a blank one only the heading is
            drawn.

    Raises:
        InputError: the picture would have more than `MAX_PIXELS` pixels or `MAX_SIDE_PIXELS` on a
            side.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(dpi=DOTS_PER_INCH, facecolor="white")
    canvas = FigureCanvasAgg(figure)
    fonts = _installed_fonts()
    with warnings.catch_warnings():
        # Missing glyphs are drawn as boxes.
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        panels = [
            _measure_panel(canvas, fonts, sentence, number)
            for number, sentence in enumerate(sentences, start=1)
        ]
        width = max([_COLOUR_BAR_WIDTH, *(panel.full_width for panel in panels)]) + 2 * _MARGIN
        height = sum(panel.full_height for panel in panels) + _FOOTER_HEIGHT + _MARGIN
        _check_size(width, height, len(panels))
        figure.set_size_inches(width, height)
        top = height - _MARGIN
        for panel in panels:
            _draw_panel(figure, fonts, panel, top)
            top -= panel.full_height
        _draw_colour_bar(figure, fonts, top)
        with atomic_path(path) as temporary:
            canvas.print_png(temporary)


def _installed_fonts() -> list[str]:
    from matplotlib import font_manager

    installed = set(font_manager.get_font_names())
    return [name for name in _FONTS if name in installed]


def _measure_panel(canvas, fonts, sentence: Alignment, number: int) -> _Panel:
    heading = _label(sentence.heading(number), 10 * _LONGEST_LABEL)
    if sentence.is_blank:
        heading += "  (blank)"
        heading_width, _ = _text_size(canvas, fonts, heading)
        return _Panel(
            heading, [], [], sentence.weights, 0, 0, 0, 0, heading_width, _BLANK_HEIGHT + _MARGIN
        )
    heading_width, _ = _text_size(canvas, fonts, heading)
    source_labels = [_label(word, _LONGEST_LABEL) for word in sentence.source_words]
    target_labels = [_label(word, _LONGEST_LABEL) for word in sentence.target_words]
    angle = math.radians(_ROTATION)
    sizes = [_text_size(canvas, fonts, label) for label in source_labels]
    rise = max(w * math.sin(angle) + h * math.cos(angle) for w, h in sizes)
    # A rotated label starts above its own cell and may end to the right of the last column.
    overhang = max(
        w * math.cos(angle) - (len(sizes) - index - 0.5) * _CELL
        for index, (w, _) in enumerate(sizes)
    )
    left = max(_text_size(canvas, fonts, label)[0] for label in target_labels) + _GAP
    top = _HEADING_HEIGHT + rise + _GAP
    width, height = len(source_labels) * _CELL, len(target_labels) * _CELL
    return _Panel(
        heading,
        source_labels,
        target_labels,
        sentence.weights,
        left,
        top,
        width,
        height,
        full_width=max(heading_width, left + width + max(overhang, 0)),
        full_height=top + height + 2 * _MARGIN,
    )


def _text_size(canvas, fonts, label: str) -> tuple[float, float]:
    from matplotlib.text import Text

    text = Text(0, 0, label, fontsize=_FONT_SIZE, fontfamily=fonts, parse_math=False)
    text.set_figure(canvas.figure)
    box = text.get_window_extent(canvas.get_renderer())
    return box.width / DOTS_PER_INCH, box.height / DOTS_PER_INCH


def _label(text: str, longest: int) -> str:
    """The text in at most `longest` characters, without those that cannot be drawn."""
    text = "".join(
        "\ufffd" if unicodedata.category(character) in ("Cc", "Cs") else character
        for character in text
    )
    return text if len(text) <= longest else text[: longest - 1] + "\u2026"


def _check_size(width: float, height: float, num_sentences: int) -> None:
    columns, rows = round(width * DOTS_PER_INCH), round(height * DOTS_PER_INCH)
    if max(columns, rows) > MAX_SIDE_PIXELS or columns * rows > MAX_PIXELS:
        raise InputError(
            f"A heat map may have at most {MAX_PIXELS // 1_000_000} million pixels and "
            f"{MAX_SIDE_PIXELS} on a side. Received: {num_sentences} sentences that need {columns} "
            f"x {rows} pixels. Write fewer sentences, or a page (.html)"
        )


def _draw_panel(figure, fonts, panel: _Panel, top: float) -> None:
    width, height = figure.get_size_inches()
    text_style = {"fontsize": _FONT_SIZE, "fontfamily": fonts, "parse_math": False}
    figure.text(_MARGIN / width, top / height, panel.heading, va="top", color="0.35", **text_style)
    if not panel.source_labels:
        return
    axes = figure.add_axes(
        (
            (_MARGIN + panel.left) / width,
            (top - panel.top - panel.height) / height,
            panel.width / width,
            panel.height / height,
        )
    )
    axes.imshow(panel.weights, cmap="Blues", vmin=0, vmax=1, aspect="auto", interpolation="nearest")
    axes.set_xticks(range(len(panel.source_labels)))
    axes.set_yticks(range(len(panel.target_labels)))
    axes.set_xticks(np.arange(len(panel.source_labels) - 1) + 0.5, minor=True)
    axes.set_yticks(np.arange(len(panel.target_labels) - 1) + 0.5, minor=True)
    axes.tick_params(which="both", length=0)
    axes.set_xticklabels([])
    axes.set_yticklabels([])
    axes.grid(which="minor", color="0.88", linewidth=0.6)
    axes.spines[:].set(color="0.6", linewidth=0.6)
    gap_right, gap_up = _GAP / panel.width, _GAP / panel.height
    for index, label in enumerate(panel.source_labels):
        axes.text(
            (index + 0.4) / len(panel.source_labels),
            1 + gap_up / 2,
            label,
            transform=axes.transAxes,
            rotation=_ROTATION,
            rotation_mode="anchor",
            ha="left",
            va="baseline",
            **text_style,
        )
    for index, label in enumerate(panel.target_labels):
        axes.text(
            -gap_right,
            1 - (index + 0.5) / len(panel.target_labels),
            label,
            transform=axes.transAxes,
            ha="right",
            va="center",
            **text_style,
        )


def _draw_colour_bar(figure, fonts, top: float) -> None:
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize

    width, height = figure.get_size_inches()
    axes = figure.add_axes(
        (
            _MARGIN / width,
            (top - _COLOUR_BAR_HEIGHT) / height,
            _COLOUR_BAR_WIDTH / width,
            _COLOUR_BAR_HEIGHT / height,
        )
    )
    scale = ScalarMappable(Normalize(0, 1), cmap="Blues")
    bar = figure.colorbar(scale, cax=axes, orientation="horizontal", ticks=[0, 0.5, 1])
    bar.ax.tick_params(labelsize=8, length=2)
    bar.outline.set(edgecolor="0.6", linewidth=0.6)
    bar.set_label("attention weight", fontsize=8, fontfamily=fonts)
