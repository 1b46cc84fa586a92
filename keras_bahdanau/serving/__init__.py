"""Client of TensorFlow Serving."""

from keras_bahdanau.serving.served_translator import ServedTranslator as ServedTranslator
