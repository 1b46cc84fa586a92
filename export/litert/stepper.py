"""The trained model, rebuilt for one sentence of bounded length."""

import keras
import tensorflow as tf

from keras_bahdanau.recurrent.attention_step import Attended, attention_step

from .lookup import RowQuantizedLookup
from .recurrence import TrueLengthRecurrence
from .shortlist import WholeVocabulary


def float32_copy(model):
    """Rebuilds a model under the float32 policy, with the same weights.

    Exporting works on a copy: a model trained in mixed precision computes in float16 or bfloat16,
    which LiteRT runs slower or not at all, and the caller's layers stay free of the exported
    graph's nodes.

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


class Stepper:
    """Encoder and one decoding step on static shapes, made of the model's own layers.

    The encoder is cloned as a graph: every layer is the model's own (so are its weights), except
    recurrent layers, which stop at the true length, and embeddings that read a quantized table.
    The decoder's step has no axis for time, because on a device the number of operations
    counts, and slicing is among the slowest.

    Args:
        model: a `TranslationModel` whose layers compute in float32.
        max_length: number of source positions; the encoder's ids have shape `(1, max_length)`.
        lookup_bits: bits of a weight in the tables that embeddings read: 32, 8 or 4.
        vocabulary: the `Shortlist` that the decoder writes, or `None` for the whole vocabulary.
    """

    def __init__(self, model, max_length, lookup_bits=32, vocabulary=None):
        self.max_length = max_length
        self.decoder = model.decoder
        self.vocabulary = vocabulary or WholeVocabulary(self.decoder.vocabulary_size)
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
        """Everything that holds weights."""
        layers = [self.encoder, self.decoder, self.embedding, self.lookup, self.output]
        return [layer for layer in layers if layer is not None]

    def encode(self, source_ids, source_length):
        """Reads a sentence.

        Args:
            source_ids: int32 tensor of shape `(1, max_length)`.
            source_length: int32 tensor of shape `(1,)`; ids from there on are ignored.

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
            token_ids: int32 tensor of shape `(rows,)`, the tokens before, of `self.vocabulary`.
            memory, keys, memory_mask: as `encode` and `mask` give them: one for all rows.
            states: list of tensors of shape `(rows, units)`.
            suppressed: float32 array of shape `(vocabulary.size,)` to add to the logits, or `None`.

        Returns:
            `(logits, states, attention_scores)` of shapes `(rows, vocabulary.size)`, as `states`,
            and `(rows, max_length)`.
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

    def _readout(self, parts):
        # A product for each part: in int8 its numbers are rounded by a step of their own, and
        # those of an embedding are smaller than those of a state.
        layer, first, total = self.decoder.readout, 0, self.decoder.readout.bias
        for part in parts:
            kernel = tf.slice(layer.kernel, (first, 0), (part.shape[-1], layer.units))
            total = tf.matmul(part, kernel) + total
            first += part.shape[-1]
        return layer.activation(total)

    def _logits(self, deep_output, suppressed):
        # All that is added is one row, which becomes the bias of the product.
        row = 0.0 if suppressed is None else tf.constant(suppressed)
        if self.output is None:
            logits = tf.matmul(deep_output, self.embedding.embeddings, transpose_b=True)
            return logits if suppressed is None else logits + row
        return tf.matmul(deep_output, self.output.kernel) + (self.output.bias + row)
