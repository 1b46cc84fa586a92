"""A small untrained translator with a real tokenizer, for tests of exports."""

import random

import keras

from keras_bahdanau.models import TranslationModel
from keras_bahdanau.text.tokenizer import Tokenizer
from keras_bahdanau.translation.translator import Translator

ENGLISH = "the a dog cat red small house runs sleeps"
SPANISH = "el la un perro gato rojo casa corre ñandú 12 ¿qué?"


def small_tokenizer() -> Tokenizer:
    """Learns a tokenizer from 400 sentences of made-up text."""
    generator = random.Random(1)
    words = [*ENGLISH.split(), *SPANISH.split()]
    sentences = [" ".join(generator.choices(words, k=generator.randint(2, 9))) for _ in range(400)]
    return Tokenizer.train(sentences, vocabulary_size=90)


def small_translator(**arguments) -> Translator:
    """Returns a translator with random weights.

    The weights are large, so that different sources have clearly different translations, and the
    seed is one with which some translations end early and some at their limit.

    Args:
        **arguments: of `TranslationModel`.
    """
    tokenizer = small_tokenizer()
    keras.utils.set_random_seed(3)
    sizes = {
        "embedding_dim": 12,
        "encoder_units": 12,
        "decoder_units": 16,
        "attention_units": 8,
        "initializer_range": 0.8,
    }
    model = TranslationModel(tokenizer.vocabulary_size, **{**sizes, **arguments})
    return Translator(model, tokenizer, {"max_length": 24, "max_target_length": 30})
