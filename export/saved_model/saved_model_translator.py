"""Translates with an exported SavedModel from Python."""

import os
from collections.abc import Iterator, Sequence
from functools import partial

import numpy as np
import tensorflow as tf
import tensorflow_text as tensorflow_text  # Registers the operations of the graph.

from keras_bahdanau.concurrency import available_cores, map_in_threads
from keras_bahdanau.errors import InputError
from keras_bahdanau.text.tokenizer import Tokenizer, by_length, check_texts
from keras_bahdanau.translation.result import (
    Translation,
    translate_long_texts,
    translation_from_signature,
)
from keras_bahdanau.translation.text_translator import (
    BATCH_SIZE,
    TextTranslator,
    check_fixed_options,
    check_pairs,
    check_scored_whole,
)

from ..version_directories import newest_version
from .assets import TOKENIZER_FILE, read_manifest
from .operations import check_operations


class SavedModelTranslator(TextTranslator):
    """Translates text with a SavedModel that `export_saved_model` wrote.

    `translate` and `score` are described by the protocol, `TextTranslator`. The search is fixed in
    the export. Translations come with attention weights in any case.

    Args:
        directory: a version directory (`.../1`), or the directory of the versions, of which the
            highest is taken, as TensorFlow Serving does.

    Attributes:
        tokenizer: the `Tokenizer` beside the model.
        options: the `SearchOptions` of the export; `n_best` is the most that it returns.
        max_length: the limit of a source in pieces, the end token included.

    Raises:
        InputError: the directory is not a SavedModel of this package, is damaged, is of a newer
            version, or has operations that no export of this package has.
    """

    def __init__(self, directory: str | os.PathLike):
        directory = newest_version(directory)
        manifest = read_manifest(directory)
        self.options = manifest["search"]
        self.max_length = manifest["max_length"]
        self.tokenizer = Tokenizer.load(directory / TOKENIZER_FILE)
        check_operations(directory)
        try:
            self._model = tf.saved_model.load(str(directory))
            self._translate = self._model.signatures["translate_n_best"]
            self._score = self._model.signatures["score"]
        except (tf.errors.OpError, OSError, KeyError, ValueError) as error:
            reason = " ".join(str(error).split())[:200]
            raise InputError(
                f"Expected a SavedModel. Received: {directory}, which cannot be read: {reason}"
            ) from error

    def translate_n_best(
        self,
        texts: Sequence[str],
        *,
        n_best: int = 1,
        return_alignments: bool = False,
        prefixes: Sequence[str] | None = None,
        batch_size: int | None = None,
        **options,
    ) -> tuple[list[list[Translation]], int]:
        """See `TextTranslator`."""
        check_texts(texts)
        check_fixed_options(self.options, options, prefixes)
        if not 1 <= n_best <= self.options.n_best:
            raise InputError(
                f"Expected n_best from 1 to {self.options.n_best}, as exported. Received: {n_best}"
            )
        return translate_long_texts(
            texts,
            partial(self._translate_parts, n_best, batch_size),
            encode=self.tokenizer.encode,
            max_length=self.max_length,
        )

    def score(
        self, sources: Sequence[str], targets: Sequence[str], batch_size: int | None = None
    ) -> list[float]:
        """See `TextTranslator`.

        Raises:
            InputError: also where a text is longer than the limit of the export, which cuts it.
        """
        check_pairs(sources, targets)
        scores = np.zeros(len(sources), "float32")
        inputs = {"source": sources, "target": targets}
        for batch, outputs in self._run(self._score, inputs, batch_size):
            check_scored_whole([sources[index] for index in batch], outputs["is_cut"])
            scores[batch] = outputs["log_probability"]
        return scores.tolist()

    def _translate_parts(self, n_best, batch_size, parts, prefixes):
        translations = [None] * len(parts)
        for batch, outputs in self._run(self._translate, {"text": parts}, batch_size):
            for row, index in enumerate(batch):
                translations[index] = [
                    translation_from_signature(outputs, row, rank) for rank in range(n_best)
                ]
        return translations

    def _run(self, signature, inputs, batch_size) -> Iterator[tuple[np.ndarray, dict]]:
        """Yields the indices of each batch, of texts of similar lengths, and its outputs."""
        lengths = [max(map(len, texts)) for texts in zip(*inputs.values(), strict=True)]
        batches = by_length(lengths, BATCH_SIZE if batch_size is None else batch_size)

        def run_batch(batch):
            arguments = {
                name: tf.constant([texts[index].encode() for index in batch])
                for name, texts in inputs.items()
            }
            return {name: tensor.numpy() for name, tensor in signature(**arguments).items()}

        yield from zip(batches, map_in_threads(run_batch, batches, available_cores()), strict=True)
