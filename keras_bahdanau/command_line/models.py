"""Opens whatever can translate: a trained model directory or one of its exports."""

import contextlib
import dataclasses
from pathlib import Path

from keras_bahdanau.errors import InputError
from keras_bahdanau.quiet import (
    import_keras_quietly,
    import_tensorflow_quietly,
    silenced_native_logs,
)
from keras_bahdanau.translation.search_options import SearchOptions


def open_trained_translator(path, ensemble=()):
    """A `Translator` from a trained model directory, averaged with others."""
    from keras_bahdanau.translation.model_directory import read_config

    for directory in (path, *ensemble):
        read_config(directory)
    import_keras_quietly()
    from keras_bahdanau.translation.translator import Translator

    return Translator.load(path, ensemble)


def open_translator(path, ensemble=()):
    """A translator from a model directory, a SavedModel version directory or a LiteRT file.

    Args:
        path: the directory or file.
        ensemble: directories of other trained models, to be averaged with it.

    Returns:
        An object with the `translate_n_best` of a `Translator`, `max_length` and `options`, the
        `SearchOptions` that are used where none are given. One that gives no attention weights
        leaves `attention` at `None`.

    Raises:
        InputError: there is nothing of this kind at the path.
    """
    path = Path(path)
    if (path / "saved_model.pb").is_file() or any(path.glob("[0-9]*/saved_model.pb")):
        kind = SavedModelAdapter
    elif path.suffix == ".tflite" or (path / "translator.tflite").is_file():
        kind = LiteRTAdapter
    else:
        return open_trained_translator(path, ensemble)
    if ensemble:
        raise InputError(
            f"Expected a trained model directory with --ensemble. Received: {path}, an export"
        )
    return kind(path)


class SavedModelAdapter:
    """A SavedModel behind the interface of `Translator`; its search was fixed at export."""

    def __init__(self, path):
        import_tensorflow_quietly()
        from keras_bahdanau.export.saved_model import SavedModelTranslator

        self._translator = SavedModelTranslator(path)
        self.max_length = self._translator.max_length
        self.options = dataclasses.replace(self._translator.options, n_best=1)

    def translate_n_best(
        self, texts, *, return_alignments=False, prefixes=None, batch_size=64, n_best=1, **options
    ):
        _check_fixed(self.options, options, prefixes)
        limit = self._translator.options.n_best
        if n_best > limit:
            raise InputError(
                f"Expected --n-best of at most {limit}, as exported. Received: {n_best}"
            )
        return self._translator.translate_n_best(texts, n_best=n_best, batch_size=batch_size)


def open_server(server, model_name):
    """A translator that asks a TensorFlow Serving, with the interface of `open_translator`."""
    return ServedAdapter(server, model_name)


class ServedAdapter:
    """A served model behind the interface of `Translator`; its search was fixed at export."""

    max_length = None

    def __init__(self, server, model_name):
        import_tensorflow_quietly()
        from keras_bahdanau.serving import ServedTranslator

        self._translator = ServedTranslator(server, model_name)

    def translate_n_best(
        self, texts, *, return_alignments=False, prefixes=None, batch_size=64, n_best=1, **options
    ):
        if options or prefixes is not None:
            names = [*(["target_prefixes"] if prefixes is not None else []), *options]
            raise InputError(
                "Expected --n-best alone of the options of a search, the others being fixed in "
                f"what is served. Received: --{names[0].replace('_', '-')}"
            )
        return self._translator.translate_n_best(
            texts, n_best=n_best, return_alignments=return_alignments, batch_size=batch_size
        )


class LiteRTAdapter:
    """A LiteRT directory behind the interface of `Translator`; its beam was fixed at export."""

    def __init__(self, path):
        from keras_bahdanau.export.runtime import LiteTranslator

        with _quiet_litert():
            self._translator = LiteTranslator(path)
        self.max_length = self._translator.max_length
        self.options = SearchOptions(
            beam_width=self._translator.beam_width,
            length_penalty=self._translator.manifest["length_penalty"],
        )

    def translate_n_best(
        self,
        texts,
        *,
        return_alignments=False,
        prefixes=None,
        batch_size=64,
        beam_width=None,
        **options,
    ):
        from keras_bahdanau.translation.result import translate_long_texts

        translator = self._translator
        beam_width = self.options.beam_width if beam_width is None else beam_width
        if beam_width not in (1, self.options.beam_width):
            raise InputError(
                f"Expected --beam-width 1 or {self.options.beam_width}, fixed in the export. "
                f"Received: {beam_width}"
            )
        _check_fixed(self.options, options, prefixes)

        def translate_parts(parts):
            ids = [translator.source_ids(part) for part in parts]
            # The interpreter greets whoever uses a signature for the first time.
            with _quiet_litert():
                found = [translator.search(each, beam_width) for each in ids]
            return [[_read_found(translator, each)] for each in found]

        return translate_long_texts(
            texts,
            translate_parts,
            encode=translator.tokenizer.EncodeAsIds,
            max_length=self.max_length,
        )


@contextlib.contextmanager
def _quiet_litert():
    """Without the lines that LiteRT writes; a damaged file is the caller's mistake."""
    from keras_bahdanau.export.runtime import ExportedFileError

    try:
        with silenced_native_logs():
            yield
    except ExportedFileError as error:
        raise InputError(str(error)) from error


def _read_found(translator, found):
    from keras_bahdanau.translation.result import Translation

    special_ids = set(translator.manifest["special_ids"].values())
    ids = [token_id for token_id in found["token_ids"] if token_id not in special_ids]
    return Translation(
        text=translator.tokenizer.DecodeIds(ids),
        # Greedy search in the file works out no probabilities.
        log_probability=found.get("log_probability", float("nan")),
    )


def _check_fixed(fixed, options, prefixes):
    """Raises InputError where options are others than those of an export."""
    for name, value in options.items():
        expected = getattr(fixed, name)
        if value != expected:
            raise InputError(
                f"Expected --{name.replace('_', '-')} {expected}, fixed in the export. "
                f"Received: {value}"
            )
    if prefixes is not None:
        raise InputError("Expected a trained model directory with prefixes. Received: an export")
