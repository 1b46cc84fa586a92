"""Bahdanau attention for Keras: layers, a translator, and its exports.

Public names are imported at first use: importing the package is fast, and the light parts (the
command's help, the LiteRT runtime) need neither Keras nor TensorFlow.
"""

import importlib

from keras_bahdanau.registration import register_with_keras
from keras_bahdanau.version import __version__ as __version__

_PUBLIC = {
    "AttentionCell": "keras_bahdanau.recurrent",
    "AttentionRNN": "keras_bahdanau.recurrent",
    "BahdanauAttention": "keras_bahdanau.layers",
    "CoverageAttention": "keras_bahdanau.layers",
    "InputError": "keras_bahdanau.errors",
    "LocationSensitiveAttention": "keras_bahdanau.layers",
    "MonotonicAttention": "keras_bahdanau.layers",
    "MonotonicChunkwiseAttention": "keras_bahdanau.layers",
    "Translation": "keras_bahdanau.translation",
    "Translator": "keras_bahdanau.translation",
    "open_translator": "keras_bahdanau.loading",
}
_NEED_NO_KERAS = ("InputError", "Translation", "open_translator")
_MODULES = ("export", "layers", "models", "recurrent", "search", "text", "training")

__all__ = ["__version__", *_PUBLIC, *_MODULES]


def __getattr__(name):
    if name in _PUBLIC:
        if name not in _NEED_NO_KERAS:
            # Before the module that imports it, so that all classes are registered.
            importlib.import_module("keras")
        return getattr(importlib.import_module(_PUBLIC[name]), name)
    if name in _MODULES:
        return importlib.import_module(f"keras_bahdanau.{name}")
    raise AttributeError(f"module 'keras_bahdanau' has no attribute {name!r}")


def __dir__():
    return sorted(__all__)


register_with_keras()
