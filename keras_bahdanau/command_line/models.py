"""Opens whatever can translate: a trained model directory or one of its exports."""

from pathlib import Path

from keras_bahdanau.errors import InputError
from keras_bahdanau.quiet import (
    import_keras_quietly,
    import_tensorflow_quietly,
    silenced_native_logs,
)


def open_trained_translator(path):
    """A `Translator` from a trained model directory."""
    from keras_bahdanau.model_directory import read_config

    read_config(path)
    import_keras_quietly()
    from keras_bahdanau.translator import Translator

    return Translator.load(path)


def open_translator(path):
    """A translator from a model directory, a SavedModel version directory or a LiteRT file.

    Returns:
        An object with the `translate_n_best` of a `Translator` and `max_length`; an export has the
        `beam_width` and `length_penalty` that it was exported with, too. One that gives no
        attention weights leaves `attention` at `None`.

    Raises:
        InputError: there is nothing of this kind at the path.
    """
    path = Path(path)
    if (path / "saved_model.pb").is_file() or any(path.glob("[0-9]*/saved_model.pb")):
        return SavedModelAdapter(path)
    if path.suffix == ".tflite" or (path / "translator.tflite").is_file():
        return LiteRTAdapter(path)
    return open_trained_translator(path)


class SavedModelAdapter:
    """A SavedModel behind the interface of `Translator`; its search was fixed at export."""

    def __init__(self, path):
        import_tensorflow_quietly()
        from keras_bahdanau.export.saved_model import SavedModelTranslator

        self._translator = SavedModelTranslator(path)
        exported = self._translator.config
        self.max_length = exported["max_length"]
        self.beam_width = exported["beam_width"]
        self.length_penalty = exported["length_penalty"]

    def translate_n_best(
        self,
        texts,
        beam_width=5,
        n_best=1,
        return_alignments=False,
        length_penalty=1.0,
        batch_size=64,
    ):
        _check_fixed("--beam-width", beam_width, [self.beam_width])
        _check_fixed("--length-penalty", length_penalty, [self.length_penalty])
        limit = self._translator.config["n_best"]
        if n_best > limit:
            raise InputError(
                f"Expected --n-best of at most {limit}, as exported. Received: {n_best}"
            )
        return self._translator.translate_n_best(texts, n_best=n_best, batch_size=batch_size)


class LiteRTAdapter:
    """A LiteRT directory behind the interface of `Translator`; its beam was fixed at export."""

    def __init__(self, path):
        from keras_bahdanau.export.runtime import ExportedFileError, LiteTranslator

        try:
            with silenced_native_logs():
                self._translator = LiteTranslator(path)
        except ExportedFileError as error:
            raise InputError(str(error)) from error
        self.max_length = self._translator.max_length
        self.beam_width = self._translator.beam_width
        self.length_penalty = self._translator.manifest["length_penalty"]

    def translate_n_best(
        self,
        texts,
        beam_width=5,
        n_best=1,
        return_alignments=False,
        length_penalty=1.0,
        batch_size=64,
    ):
        from keras_bahdanau.long_texts import translate_long_texts

        translator = self._translator
        _check_fixed("--beam-width", beam_width, [1, self.beam_width])
        _check_fixed("--length-penalty", length_penalty, [self.length_penalty])
        if n_best > 1:
            raise InputError(f"Expected --n-best 1 with a LiteRT file. Received: {n_best}")

        def translate_parts(parts):
            ids = [translator.source_ids(part) for part in parts]
            # The interpreter greets whoever uses a signature for the first time.
            with silenced_native_logs():
                found = [translator.search(each, beam_width) for each in ids]
            return [[_read_found(translator, each)] for each in found]

        return translate_long_texts(
            texts,
            translate_parts,
            encode=translator.tokenizer.EncodeAsIds,
            max_length=self.max_length,
        )


def _read_found(translator, found):
    from keras_bahdanau.translation import Translation

    special_ids = set(translator.manifest["special_ids"].values())
    ids = [token_id for token_id in found["token_ids"] if token_id not in special_ids]
    return Translation(
        text=translator.tokenizer.DecodeIds(ids),
        # Greedy search in the file works out no probabilities.
        log_probability=found.get("log_probability", float("nan")),
    )


def _check_fixed(option, value, allowed):
    if value not in allowed:
        raise InputError(
            f"Expected {option} {' or '.join(map(str, allowed))}, fixed in the export. "
            f"Received: {value}"
        )
