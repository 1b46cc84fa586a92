"""Tokenizer, and splitting of long texts.

`Tokenizer` loads at first use: splitting a text needs no SentencePiece.
"""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from keras_bahdanau.text.tokenizer import Tokenizer as Tokenizer

__all__ = ["Tokenizer"]


def __getattr__(name):
    if name == "Tokenizer":
        return importlib.import_module("keras_bahdanau.text.tokenizer").Tokenizer
    raise AttributeError(f"module 'keras_bahdanau.text' has no attribute {name!r}")


def __dir__():
    return sorted(__all__)
