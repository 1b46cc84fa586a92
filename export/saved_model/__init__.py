"""SavedModel export: text in, text out, for TensorFlow Serving."""

from .exporter import export_saved_model as export_saved_model
from .saved_model_translator import SavedModelTranslator as SavedModelTranslator
