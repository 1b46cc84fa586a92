"""Vocabulary selection: a decoder that generates only the tokens of a shortlist."""

import keras
import numpy as np
import tensorflow as tf

from keras_bahdanau.text.tokenizer import SPECIAL_IDS

from .search_graphs import IMPOSSIBLE
from .stepper import Vocabulary


class Shortlist(Vocabulary):
    """A vocabulary of the tokens that translations may consist of, renumbered.

    Half of a joint vocabulary belongs to the source language; without it, the decoder reads and
    multiplies less at every step. Special ids keep their numbers. The signatures keep the ids of
    the whole vocabulary.

    Args:
        token_ids: ids that may be generated, in any order; special ids are always among them.
        vocabulary_size: size of the whole vocabulary.

    Reference: Jean et al. 2015, https://arxiv.org/abs/1412.2007, section 3.3 (candidate lists).
    """

    def __init__(self, token_ids, vocabulary_size):
        kept = np.array(sorted({*SPECIAL_IDS.values(), *token_ids}), "int32")
        super().__init__(len(kept))
        self.token_ids = kept
        self._places = np.full(vocabulary_size, self.size, "int32")
        self._places[kept] = np.arange(self.size)

    def shorten(self, token_ids):
        place = tf.gather(tf.constant(self._places), token_ids)
        return tf.where(place < self.size, place, SPECIAL_IDS["unknown_id"])

    def restore(self, token_ids):
        return tf.gather(tf.constant(self.token_ids), token_ids)

    def widen(self, logits):
        rows = logits.shape[0]
        padded = tf.concat([logits, tf.fill((rows, 1), IMPOSSIBLE)], axis=-1)
        return tf.gather(padded, tf.constant(self._places), axis=-1)

    def embedding(self, layer):
        short = keras.layers.ReversibleEmbedding(
            self.size, layer.output_dim, name=f"short_{layer.name}"
        )
        short.build()
        short.embeddings.assign(np.asarray(layer.embeddings)[self.token_ids])
        return short

    def output(self, layer):
        kernel, bias = (np.asarray(weight) for weight in layer.get_weights())
        short = keras.layers.Dense(self.size, dtype="float32", name=f"short_{layer.name}")
        short.build((None, len(kernel)))
        short.set_weights([kernel[:, self.token_ids], bias[self.token_ids]])
        return short
