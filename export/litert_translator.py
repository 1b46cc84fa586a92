"""Translates with an exported LiteRT directory behind the protocol of all translators.

Imports neither TensorFlow nor Keras. What runs the file is `LiteTranslator` in `runtime.py`, which
imports nothing of the package and can be copied onto a device; this adds n-best lists, checks of
options and the splitting rules of the other translators.
"""

import contextlib
import os
from collections.abc import Sequence
from functools import partial

from keras_bahdanau.errors import InputError
from keras_bahdanau.quiet import silenced_native_logs
from keras_bahdanau.text.tokenizer import check_texts
from keras_bahdanau.translation.result import Translation, translate_long_texts
from keras_bahdanau.translation.search_options import SearchOptions
from keras_bahdanau.translation.text_translator import (
    TextTranslator,
    check_fixed_options,
)

from .runtime import ExportedFileError, LiteTranslator


class LiteRTTranslator(TextTranslator):
    """Translates text with a LiteRT directory that `export_litert` wrote.

    `translate` is described by the protocol, `TextTranslator`. The search is the beam search of the
    export, or greedy search with `beam_width=1`, whose translations have no log-probability (NaN).
    The file scores no given translations and returns one translation of a text, without attention
    weights. It translates text by text: `batch_size` changes nothing.

    Args:
        path: the exported directory, or its `translator.tflite`.

    Attributes:
        options: the `SearchOptions` of the export.
        max_length: the limit of a source in pieces, the end token included.

    Raises:
        InputError: a file is missing, damaged, of another model, or of a newer format.
    """

    def __init__(self, path: str | os.PathLike):
        with _quiet_litert():
            self._runtime = LiteTranslator(path)
        self._special_ids = set(self._runtime.manifest["special_ids"].values())
        self.max_length = self._runtime.max_length
        self.options = SearchOptions(
            beam_width=self._runtime.beam_width,
            length_penalty=self._runtime.manifest["length_penalty"],
        )

    def translate_n_best(
        self,
        texts: Sequence[str],
        *,
        n_best: int = 1,
        return_alignments: bool = False,
        prefixes: Sequence[str] | None = None,
        batch_size: int | None = None,
        beam_width: int | None = None,
        **options,
    ) -> tuple[list[list[Translation]], int]:
        """See `TextTranslator`."""
        check_texts(texts)
        if batch_size is not None and batch_size < 1:
            raise InputError(f"Expected a batch_size of at least 1. Received: {batch_size}")
        beam_width = self.options.beam_width if beam_width is None else beam_width
        if beam_width not in (1, self.options.beam_width):
            raise InputError(
                f"Expected beam_width 1 or {self.options.beam_width}, fixed in the export. "
                f"Received: {beam_width}"
            )
        check_fixed_options(self.options, options, prefixes)
        if n_best != 1:
            raise InputError(f"Expected n_best 1, as exported. Received: {n_best}")
        if return_alignments:
            raise InputError(
                "Expected a trained model directory or a SavedModel for alignments. "
                "Received: a LiteRT file, which gives no attention weights"
            )
        return translate_long_texts(
            texts,
            partial(self._translate_parts, beam_width),
            encode=self._runtime.tokenizer.EncodeAsIds,
            max_length=self.max_length,
        )

    def _translate_parts(self, beam_width, parts, prefixes):
        translations = []
        # LiteRT writes log lines at the first call of a signature.
        with _quiet_litert():
            for part in parts:
                found = self._runtime.search(self._runtime.source_ids(part), beam_width)
                translations.append([self._read(found)])
        return translations

    def _read(self, found):
        ids = [token_id for token_id in found["token_ids"] if token_id not in self._special_ids]
        return Translation(
            text=self._runtime.tokenizer.DecodeIds(ids),
            log_probability=found.get("log_probability", float("nan")),
        )


@contextlib.contextmanager
def _quiet_litert():
    """Drops LiteRT's log lines; raises InputError for a damaged file."""
    try:
        with silenced_native_logs():
            yield
    except ExportedFileError as error:
        raise InputError(str(error)) from error
