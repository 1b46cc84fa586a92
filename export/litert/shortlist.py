"""A vocabulary cut to what one target language needs."""

import keras
import numpy as np
import tensorflow as tf

from keras_bahdanau.text.tokenizer import SPECIAL_IDS

from .search_graphs import IMPOSSIBLE


class Shortlist:
    """The pieces that a translation may consist of, renumbered.

    Half of a joint vocabulary is of the source language; a decoder without it reads and multiplies
    less at every step. Special ids keep their numbers. Which vocabulary the ids of a signature
    are of does not change: this translates between the two.

    Args:
        token_ids: ids that may be generated, in any order; special ids are always among them.
        vocabulary_size: size of the whole vocabulary.

    Reference: Jean et al. 2015, https://arxiv.org/abs/1412.2007, section 3.3 (candidate lists).
    """

    def __init__(self, token_ids, vocabulary_size):
        kept = np.array(sorted({*SPECIAL_IDS.values(), *token_ids}), "int32")
        self.token_ids = kept
        self.size = len(kept)
        self._places = np.full(vocabulary_size, self.size, "int32")
        self._places[kept] = np.arange(self.size)

    def shortened(self, token_ids):
        """Ids in this list; of ids that are not in it, that of the unknown token."""
        place = tf.gather(tf.constant(self._places), token_ids)
        return tf.where(place < self.size, place, SPECIAL_IDS["unknown_id"])

    def whole(self, token_ids):
        """Ids of the whole vocabulary."""
        return tf.gather(tf.constant(self.token_ids), token_ids)

    def widened(self, logits):
        """Logits of the whole vocabulary, impossible for what is not in this list."""
        rows = logits.shape[0]
        padded = tf.concat([logits, tf.fill((rows, 1), IMPOSSIBLE)], axis=-1)
        return tf.gather(padded, tf.constant(self._places), axis=-1)

    def embedding(self, layer):
        """A layer with the rows of this list, of an embedding for the whole vocabulary."""
        short = keras.layers.ReversibleEmbedding(
            self.size, layer.output_dim, name=f"short_{layer.name}"
        )
        short.build()
        short.embeddings.assign(np.asarray(layer.embeddings)[self.token_ids])
        return short

    def output(self, layer):
        """A layer with the columns of this list, of a dense layer for the whole vocabulary."""
        kernel, bias = (np.asarray(weight) for weight in layer.get_weights())
        short = keras.layers.Dense(self.size, dtype="float32", name=f"short_{layer.name}")
        short.build((None, len(kernel)))
        short.set_weights([kernel[:, self.token_ids], bias[self.token_ids]])
        return short


class WholeVocabulary:
    """Stands where a `Shortlist` may stand, and changes nothing."""

    def __init__(self, vocabulary_size):
        self.size = vocabulary_size

    @staticmethod
    def _same(value):
        return value

    shortened = whole = widened = embedding = output = _same
