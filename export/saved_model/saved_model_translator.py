"""Translates with an exported SavedModel from Python."""

import os
from collections.abc import Sequence
from functools import partial

import tensorflow as tf
import tensorflow_text as tensorflow_text  # Registers the operations of the graph.

from keras_bahdanau.concurrency import available_cores, map_in_threads
from keras_bahdanau.errors import InputError
from keras_bahdanau.text.tokenizer import Tokenizer, by_length, check_texts
from keras_bahdanau.translation.result import (
    Translation,
    as_asked,
    read_served_translation,
    translate_long_texts,
)

from ..version_directories import newest_version
from .assets import TOKENIZER_FILE, read_manifest
from .operations import check_operations


class SavedModelTranslator:
    """Translates text with a SavedModel that `export_saved_model` wrote.

    The search is the one of the export.

    Args:
        directory: a version directory (`.../1`), or the directory of the versions, of which the
            highest is taken, as TensorFlow Serving does.

    Attributes:
        tokenizer: the `Tokenizer` beside the model.
        options: the `SearchOptions` of the export.
        max_length: the limit of a source in pieces, the end token included.

    Raises:
        InputError: the directory is no SavedModel of this package, is damaged, is of a newer
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
        except (tf.errors.OpError, OSError, KeyError, ValueError) as error:
            reason = " ".join(str(error).split())[:200]
            raise InputError(
                f"Expected a SavedModel. Received: {directory}, which cannot be read: {reason}"
            ) from error

    def translate(
        self,
        texts: Sequence[str],
        n_best: int = 1,
        return_alignments: bool = False,
        batch_size: int = 64,
    ) -> list:
        """Translates texts: see `Translator.translate`."""
        translations, _ = self.translate_n_best(texts, n_best=n_best, batch_size=batch_size)
        return as_asked(translations, n_best, return_alignments)

    def translate_n_best(
        self, texts: Sequence[str], n_best: int = 1, batch_size: int = 64
    ) -> tuple[list[list[Translation]], int]:
        """Like `translate`: the `Translation` lists, and how many texts were cut into parts.

        Raises:
            ValueError: `n_best` is larger than that of the export, or below 1.
            TypeError: `texts` is one string, or holds something that is no string.
        """
        check_texts(texts)
        if not 1 <= n_best <= self.options.n_best:
            raise ValueError(
                f"Expected `n_best` from 1 to {self.options.n_best}, as exported. "
                f"Received: n_best={n_best}"
            )
        return translate_long_texts(
            texts,
            partial(self._translate_parts, n_best, batch_size),
            encode=self.tokenizer.encode,
            max_length=self.max_length,
        )

    def _translate_parts(self, n_best, batch_size, parts):
        translations = [None] * len(parts)
        batches = by_length([len(part) for part in parts], batch_size)

        def translate_batch(batch):
            outputs = self._translate(text=tf.constant([parts[index].encode() for index in batch]))
            return {name: tensor.numpy() for name, tensor in outputs.items()}

        all_outputs = map_in_threads(translate_batch, batches, available_cores())
        for batch, outputs in zip(batches, all_outputs, strict=True):
            for row, index in enumerate(batch):
                translations[index] = [
                    read_served_translation(outputs, row, rank) for rank in range(n_best)
                ]
        return translations
