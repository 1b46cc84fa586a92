"""Exports of a trained translator: SavedModel for TensorFlow Serving, LiteRT for devices.

Where to look:

    saved_model/exporter.py        `export_saved_model`
    saved_model/signatures.py      serving_default, translate_n_best, score
    saved_model/operations.py      operations that TensorFlow Serving runs
    litert/exporter.py             `export_litert`
    litert/signatures.py           encode, decode_step, translate, translate_beam
    litert/search_graphs.py        greedy and beam search as LiteRT graphs
    litert/quantization.py         int8 and int4 weights
    runtime.py                     translates with a LiteRT directory; one file to copy
    litert_translator.py           `LiteRTTranslator`: runtime.py as a `TextTranslator`
    device_benchmark.py            latency and memory of LiteRT directories

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
