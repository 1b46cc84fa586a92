"""Export to one LiteRT file that runs on phones, in browsers and in Python."""

from keras_bahdanau.export.litert.exporter import export_litert as export_litert
from keras_bahdanau.export.litert.flatbuffer import (
    UnsupportedOperatorError as UnsupportedOperatorError,
)
