"""Training of a translator: corpora, input pipeline, training run and evaluation.

`train` is where to start; `keras-bahdanau train` calls it. Keras is imported when it is first used.
"""

import importlib

_MODULES = {
    "ParallelFiles": "corpora.parallel_text",
    "Splits": "data.splits",
    "TrainingOptions": "options",
    "TsvFile": "corpora.parallel_text",
    "named_splits": "corpora.named",
    "preset_options": "presets",
    "train": "training_run",
}

__all__ = list(_MODULES)


def __getattr__(name):
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)


def __dir__():
    return sorted(__all__)
