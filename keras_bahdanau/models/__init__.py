"""Functional encoder, decoder and translation models."""

from keras_bahdanau.models.decoder import Decoder as Decoder
from keras_bahdanau.models.encoder import Encoder as Encoder
from keras_bahdanau.models.translation_model import TranslationModel as TranslationModel
