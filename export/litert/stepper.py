"""The trained model with static shapes: the encoder, and one step of the decoder."""

import keras
import numpy as np
import tensorflow as tf

from keras_bahdanau.recurrent.attention_step import attention_step
from keras_bahdanau.recurrent.memories import Attended
from keras_bahdanau.text.tokenizer import SPECIAL_IDS

from .lookup import RowQuantizedLookup
from .recurrence import TrueLengthRecurrence
from .search_graphs import IMPOSSIBLE


class Stepper:
    """Encoder and one decoding step on static shapes, made of the model's own layers.

    The encoder is cloned as a graph with the model's layers (and so its weights), except that
    recurrent layers stop at the true length and that embeddings may read a quantized table. The
    decoder's step has no time axis: on a device, every operation costs, and slicing most of all.

    Args:
        model: a `TranslationModel` whose layers compute in float32.
        max_length: number of source positions; source ids have shape `(1, max_length)`.
        lookup_bits: bits per weight of the embedding tables: 32, 8 or 4.
        vocabulary: what the decoder generates: a `Shortlist`, or `None` for the whole vocabulary.
    """

    def __init__(self, model, max_length, lookup_bits=32, vocabulary=None):
        self.max_length = max_length
        self.decoder = model.decoder
        self.vocabulary = vocabulary or Vocabulary(self.decoder.vocabulary_size)
        self._replacements = {}
        self._lookup_bits = lookup_bits
        self.encoder = self._clone(model.encoder)
        self.embedding = self.vocabulary.embedding(self.decoder.embedding)
        self.lookup = self._replace(self.embedding)
        self.output = None
        if self.decoder.tie_embeddings != "target":
            self.output = self.vocabulary.output(self.decoder.output_layer)
        state = keras.tree.map_structure(lambda x: x.shape[-1], self.decoder.input)
        self.state_units = state["initial_state"]
        self.memory_dim = state["memory"]
        self.key_units = state["keys"]

    def encode(self, source_ids, source_length):
        """Encodes a sentence and projects its memory.

        Args:
            source_ids: int32 tensor of shape `(1, max_length)`.
            source_length: int32 tensor of shape `(1,)`; later ids are ignored.

        Returns:
            `(memory, keys, states)` of shapes `(1, max_length, memory_dim)`,
            `(1, max_length, key_units)` and a list of `(1, units)`.
        """
        source_ids = tf.where(self.mask(source_length), source_ids, 0)
        encoded = self.encoder(source_ids, training=False)
        start = self.decoder.start(encoded["memory"], encoded["encoder_state"])
        return encoded["memory"], start["keys"], list(start["initial_state"])

    def mask(self, source_length):
        """Bool tensor of shape `(1, max_length)`, True up to `source_length`."""
        return tf.expand_dims(tf.range(self.max_length), 0) < source_length

    def step(self, token_ids, memory, keys, memory_mask, states, suppressed=None):
        """One step of the decoder.

        Args:
            token_ids: int32 tensor of shape `(rows,)`, the previous tokens, of `self.vocabulary`.
            memory, keys, memory_mask: of `encode` and `mask`, shared by all rows.
            states: list of tensors of shape `(rows, units)`.
            suppressed: float32 array of shape `(vocabulary.size,)` to add to the logits, or `None`.

        Returns:
            `(logits, states, attention_scores)`: `(rows, vocabulary.size)`, a list of
            `(rows, units)`, and `(rows, max_length)`.
        """
        embedded = self.lookup(token_ids)
        output, context, (attention_scores,), states = attention_step(
            self.decoder.attention_rnn.attention_cell,
            embedded,
            states,
            [Attended(memory, keys, memory_mask)],
            training=False,
        )
        deep_output = self._readout([output, context, embedded])
        return self._logits(deep_output, suppressed), states, attention_scores

    def _readout(self, inputs):
        # A product for each input: with int8, each is quantized at run time with a scale of its
        # own, and embeddings are smaller than states.
        layer, first, total = self.decoder.readout, 0, self.decoder.readout.bias
        for each in inputs:
            kernel = tf.slice(layer.kernel, (first, 0), (each.shape[-1], layer.units))
            total = tf.matmul(each, kernel) + total
            first += each.shape[-1]
        return layer.activation(total)

    def _logits(self, deep_output, suppressed):
        # All that is added is one row, which becomes the bias of the product.
        row = 0.0 if suppressed is None else tf.constant(suppressed)
        if self.output is None:
            logits = tf.matmul(deep_output, self.embedding.embeddings, transpose_b=True)
            return logits if suppressed is None else logits + row
        return tf.matmul(deep_output, self.output.kernel) + (self.output.bias + row)

    def _clone(self, model):
        source_ids = keras.Input(batch_shape=(1, self.max_length), dtype="int32")
        return keras.models.clone_model(
            model, input_tensors=source_ids, clone_function=self._replace, recursive=False
        )

    def _replace(self, layer):
        if id(layer) not in self._replacements:
            self._replacements[id(layer)] = self._replacement(layer)
        return self._replacements[id(layer)]

    def _replacement(self, layer):
        if isinstance(layer, (keras.layers.RNN, keras.layers.Bidirectional)):
            return TrueLengthRecurrence(layer)
        if self._lookup_bits < 32 and isinstance(layer, keras.layers.Embedding):
            return RowQuantizedLookup(layer, self._lookup_bits)
        return layer

    @property
    def layers(self):
        """All layers that hold weights."""
        layers = [self.encoder, self.decoder, self.embedding, self.lookup, self.output]
        return [layer for layer in layers if layer is not None]


class Vocabulary:
    """The decoder's output vocabulary: the whole one. `Shortlist` overrides each method.

    Args:
        size: number of tokens.
    """

    def __init__(self, size):
        self.size = size

    def shorten(self, token_ids):
        """Ids of this vocabulary, for ids of the whole one: those it lacks become unknown."""
        return token_ids

    def restore(self, token_ids):
        """Ids of the whole vocabulary, for ids of this one."""
        return token_ids

    def widen(self, logits):
        """Logits `(rows, whole vocabulary)`, for logits `(rows, size)` of this vocabulary."""
        return logits

    def embedding(self, layer):
        """An embedding with the rows of this vocabulary, of one for the whole vocabulary."""
        return layer

    def output(self, layer):
        """A dense layer with the columns of this vocabulary, of one for the whole vocabulary."""
        return layer


class Shortlist(Vocabulary):
    """Vocabulary selection: the decoder generates only some tokens, renumbered.

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


def float32_copy(model):
    """Rebuilds a model under the float32 policy, with the same weights.

    Exports work on a copy: a model trained in mixed precision computes in float16 or bfloat16,
    which LiteRT runs slower or not at all, and the graph that is exported adds no nodes to the
    caller's layers.

    Args:
        model: a built `keras.Model` whose `get_config` rebuilds it.

    Returns: a model of the same class.
    """
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float32")
    try:
        copy = type(model).from_config(model.get_config())
    finally:
        keras.config.set_dtype_policy(policy)
    copy.set_weights([weight.astype("float32") for weight in model.get_weights()])
    return copy
