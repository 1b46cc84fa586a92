"""The trained model, rebuilt for one sentence of bounded length."""

import keras
import tensorflow as tf

from keras_bahdanau.export.litert.lookup import RowQuantizedLookup
from keras_bahdanau.export.litert.recurrence import TrueLengthRecurrence


class Stepper:
    """Encoder and one decoding step on static shapes, made of the model's own layers.

    Encoder and decoder are cloned as graphs: every layer is the model's own (so are its weights),
    except recurrent layers of the encoder, which stop at the true length, and, for int8,
    embeddings, which read an int8 table.

    Args:
        model: a `TranslationModel` whose layers compute in float32.
        max_length: number of source positions; the encoder's ids have shape `(1, max_length)`.
        row_quantized: whether embeddings read int8 tables.
    """

    def __init__(self, model, max_length, row_quantized=False):
        self.max_length = max_length
        self.start_layers = model.decoder
        self._replacements = {}
        self._row_quantized = row_quantized
        self.encoder = self._clone(model.encoder, batch_size=1)
        self.decoder = self._clone(model.decoder)
        state = keras.tree.map_structure(lambda x: x.shape[-1], model.decoder.input)
        self.state_units = state["initial_state"]
        self.memory_dim = state["memory"]
        self.key_units = state["keys"]
        self.vocabulary_size = model.decoder.vocabulary_size

    def _clone(self, model, batch_size=None):
        inputs = None
        if batch_size:
            inputs = keras.tree.map_structure(
                lambda x: keras.Input(
                    batch_shape=(batch_size, self.max_length), dtype=x.dtype, name=x.name
                ),
                model.input,
            )
        return keras.models.clone_model(
            model, input_tensors=inputs, clone_function=self._replace, recursive=False
        )

    def _replace(self, layer):
        if id(layer) not in self._replacements:
            self._replacements[id(layer)] = self._replacement(layer)
        return self._replacements[id(layer)]

    def _replacement(self, layer):
        if isinstance(layer, (keras.layers.RNN, keras.layers.Bidirectional)):
            return TrueLengthRecurrence(layer)
        if self._row_quantized and isinstance(layer, keras.layers.Embedding):
            return RowQuantizedLookup(layer)
        return layer

    @property
    def layers(self):
        """Everything that holds weights."""
        return [self.encoder, self.decoder, self.start_layers]

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
        start = self.start_layers.start(encoded["memory"], encoded["encoder_state"])
        return encoded["memory"], start["keys"], list(start["initial_state"])

    def mask(self, source_length):
        """Bool tensor of shape `(1, max_length)`, True up to `source_length`."""
        return tf.range(self.max_length)[tf.newaxis] < source_length[:, tf.newaxis]

    def step(self, token_ids, memory, keys, memory_mask, states):
        """One step of the decoder.

        Args:
            token_ids: int32 tensor of shape `(rows,)`, the tokens before.
            memory, keys, memory_mask: as `encode` and `mask` give them, with `rows` rows.
            states: list of tensors of shape `(rows, units)`.

        Returns:
            `(logits, states, attention_scores)` of shapes `(rows, vocabulary_size)`, as `states`,
            and `(rows, max_length)`.
        """
        outputs = self.decoder(
            {
                "target_in_ids": token_ids[:, tf.newaxis],
                "memory": memory,
                "memory_mask": memory_mask,
                "keys": keys,
                "initial_state": states,
            },
            training=False,
        )
        states = list(outputs["states"])
        return outputs["logits"][:, 0], states, outputs["attention_scores"][:, 0]
