"""SavedModel export: text in, text out, for TensorFlow Serving."""

from keras_bahdanau.export.saved_model.exporter import export_saved_model as export_saved_model
from keras_bahdanau.export.saved_model.saved_model_translator import (
    SavedModelTranslator as SavedModelTranslator,
)
