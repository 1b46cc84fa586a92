"""Text in, translations out.

`TextTranslator` is the protocol that every translator keeps, `Translator` the one of a trained
model. A call of `Translator.translate` goes through `generate` (model and search on token ids),
`compiled_search` (compiled, batched by length) and `result` (ids to texts, parts of long texts).
Keras is imported when `Translator` is first used.
"""

import importlib

_MODULES = {
    "SearchOptions": "search_options",
    "TextTranslator": "text_translator",
    "Translation": "result",
    "Translator": "translator",
}

__all__ = list(_MODULES)


def __getattr__(name):
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)
