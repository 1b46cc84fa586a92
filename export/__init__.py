"""Exports of a trained translator: a SavedModel for TensorFlow Serving, LiteRT for devices.

TensorFlow is imported when a name is first used, and not for `LiteRTTranslator`.
"""

import importlib

_MODULES = {
    "LiteRTTranslator": "keras_bahdanau.export.litert_translator",
    "SavedModelTranslator": "keras_bahdanau.export.saved_model",
    "export_litert": "keras_bahdanau.export.litert",
    "export_saved_model": "keras_bahdanau.export.saved_model",
}

__all__ = list(_MODULES)


def __getattr__(name):
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_MODULES[name]), name)
