"""What a decoder computes once for each source text: the keys and its first states."""

import keras

from keras_bahdanau.models.recurrent_layers import uniform_initializer


class KeyProjection(keras.layers.Layer):
    """`attention.project_keys` as a layer of a functional model.

    Args:
        attention: a built `BahdanauAttention`, whose weights it shares.

    Call arguments:
        memory: tensor of shape `(batch_size, source_length, value_dim)`.

    Returns:
        Tensor of shape `(batch_size, source_length, attention_units)`.
    """

    def __init__(self, attention, **kwargs):
        super().__init__(**kwargs)
        self.attention = attention

    def build(self, memory_shape):
        self.built = True

    def call(self, memory):
        return self.attention.project_keys(memory)

    def compute_output_shape(self, memory_shape):
        return (*memory_shape[:-1], self.attention.units)

    def get_config(self):
        # Loaded from a config, it would have an attention of its own.
        raise NotImplementedError(
            "The start of a decoder is saved with its decoder. Expected: a `Decoder` or a "
            "`TranslationModel` to save. Received: a model of their parts"
        )


def decoder_start(attention_rnn, memory_dim, initializer_range):
    """A functional model from `memory` and `encoder_state` to `keys` and `initial_state`."""
    memory = keras.Input((None, memory_dim), name="memory")
    encoder_state = keras.Input((memory_dim,), name="encoder_state")
    initial_state = [
        keras.layers.Dense(
            size,
            activation="tanh",
            kernel_initializer=uniform_initializer(initializer_range),
            name=f"bridge_{index}",
        )(encoder_state)
        for index, size in enumerate(attention_rnn.attention_cell.recurrent_state_size)
    ]
    return keras.Model(
        inputs={"memory": memory, "encoder_state": encoder_state},
        outputs={
            "keys": KeyProjection(attention_rnn.attention, name="keys")(memory),
            "initial_state": initial_state,
        },
        name="decoder_start",
    )
