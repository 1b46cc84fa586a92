"""Export to a LiteRT file for phones, browsers and Python.

`export_litert` (exporter.py) in order:

    quantization.py, error_feedback.py, calibration.py    rounding of the weights
    stepper.py, recurrence.py, lookup.py                  the model with static shapes
    signatures.py, search_graphs.py, text_file.py         signatures and their search loops
    conversion.py                                         conversion to a checked, compact file
    artifacts.py, tokenizer_file.py                       the files beside it
"""

from .conversion import UnsupportedOperatorError as UnsupportedOperatorError
from .exporter import export_litert as export_litert
