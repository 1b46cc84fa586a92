"""Export to a SavedModel for TensorFlow Serving: text in, text out.

`export_saved_model` writes a version directory (exporter.py). Its signatures are the methods of
`TextTranslation` (signatures.py); tokenizer and word alignment are in the graph
(graph_tokenizer.py, word_alignment.py). `SavedModelTranslator` translates with it in Python.
"""

from .exporter import export_saved_model as export_saved_model
from .saved_model_translator import SavedModelTranslator as SavedModelTranslator
