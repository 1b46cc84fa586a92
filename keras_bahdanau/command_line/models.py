"""Opens whatever can translate: a trained model directory or one of its exports."""

from pathlib import Path

from keras_bahdanau.quiet import import_tensorflow_quietly


def open_trained_translator(path):
    """A `Translator` from a trained model directory."""
    from keras_bahdanau.model_directory import read_config

    read_config(path)
    import_tensorflow_quietly()
    from keras_bahdanau.translator import Translator

    return Translator.load(path)


def open_translator(path):
    """A translator from a model directory, a SavedModel version directory or a LiteRT file.

    Returns:
        An object with `translate_n_best` and `max_length`.
    """
    path = Path(path)
    if (path / "saved_model.pb").is_file():
        import_tensorflow_quietly()
        from keras_bahdanau.export.saved_model_translator import SavedModelTranslator

        return SavedModelTranslator(path)
    if path.suffix == ".tflite" or (path / "translator.tflite").is_file():
        from keras_bahdanau.export.litert_translator import LiteRTTranslator

        return LiteRTTranslator(path)
    return open_trained_translator(path)
