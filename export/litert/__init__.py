"""Export to one LiteRT file that runs on phones, in browsers and in Python."""

from .conversion import UnsupportedOperatorError as UnsupportedOperatorError
from .exporter import export_litert as export_litert
