"""`open_translator`: a translator from a directory, a file or the address of a server."""

import os
import re
from collections.abc import Sequence
from pathlib import Path

from keras_bahdanau.errors import InputError
from keras_bahdanau.quiet import import_keras_quietly, import_tensorflow_quietly
from keras_bahdanau.translation.model_directory import read_config
from keras_bahdanau.translation.text_translator import TextTranslator

_ADDRESS = re.compile(r"([^/\\:\s]+|\[[0-9a-fA-F:.]+\]):[0-9]+")


def open_translator(
    path_or_address: str | os.PathLike,
    ensemble: Sequence[str | os.PathLike] = (),
    *,
    model_name: str = "translator",
) -> TextTranslator:
    """Opens a translator of any kind by its path or address.

    Only what the translator needs is imported: a LiteRT file needs neither TensorFlow nor Keras.
    TensorFlow's log lines are kept off the screen.

    Args:
        path_or_address: one of
            - a trained model directory;
            - an exported SavedModel: a version directory, or the directory of the versions, of
              which the highest is taken;
            - an exported LiteRT directory, or its `translator.tflite`;
            - the gRPC address of a TensorFlow Serving, `host:port`, unless there is such a path.
        ensemble: other trained model directories with the same tokenizer; log-probabilities are
            averaged over all of them.
        model_name: name of the model on the server.

    Returns:
        A `TextTranslator`: `Translator`, `SavedModelTranslator`, `LiteRTTranslator` or
        `ServedTranslator`.

    Raises:
        InputError: there is nothing of these kinds, or it is damaged; an ensemble with an export.

    Example:

    >>> translator = open_translator("my-model/litert")
    >>> translator.translate(["A dog runs."])
    ['Ein Hund rennt.']
    """
    path = Path(path_or_address)
    if (path / "saved_model.pb").is_file() or any(path.glob("[0-9]*/saved_model.pb")):
        _check_alone(path, ensemble)
        import_tensorflow_quietly()
        from keras_bahdanau.export.saved_model import SavedModelTranslator

        return SavedModelTranslator(path)
    if path.suffix == ".tflite" or (path / "translator.tflite").is_file():
        _check_alone(path, ensemble)
        from keras_bahdanau.export.litert_translator import LiteRTTranslator

        return LiteRTTranslator(path)
    if not path.exists() and _ADDRESS.fullmatch(str(path_or_address)):
        _check_alone(path_or_address, ensemble)
        return open_server(str(path_or_address), model_name)
    return _open_trained(path, ensemble)


def open_server(address: str, model_name: str = "translator") -> TextTranslator:
    """A `ServedTranslator` of the model with a name on the server at `host:port`."""
    import_tensorflow_quietly()
    from keras_bahdanau.serving import ServedTranslator

    return ServedTranslator(address, model_name)


def _open_trained(directory, ensemble):
    # Before Keras is imported, which takes seconds.
    for each in (directory, *ensemble):
        read_config(each)
    import_keras_quietly()
    from keras_bahdanau.translation.translator import Translator

    return Translator.load(directory, ensemble)


def _check_alone(path, ensemble):
    if ensemble:
        raise InputError(
            f"Expected trained model directories in an ensemble. Received: {path}, an export"
        )
