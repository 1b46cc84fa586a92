"""The encoder: one annotation per source token."""

import keras
from keras import ops

from keras_bahdanau.layers.arguments import check_choice, check_positive_integer, check_rate
from keras_bahdanau.models.recurrent_layers import (
    bidirectional_layer,
    recurrent_layer,
    uniform_initializer,
)

MEMORIES = ("annotations", "summary")


@keras.saving.register_keras_serializable(package="keras_bahdanau")
class Encoder(keras.Model):
    """Bidirectional recurrent encoder, a functional model.

    The annotation of source token j is h_j = [forward state at j; backward state at j]
    (Bahdanau et al. 2015, equation 7 and section 3.2), from the last of `num_layers` layers.

    With `memory="summary"` every source token has the same annotation, the last states of both
    directions. Each context is that one vector, whatever the attention weights: the decoder sees
    the source through a vector of fixed length, as without attention (Cho et al. 2014). Shapes and
    masks stay the same; the weights of the attention get no gradient.

    Args:
        vocabulary_size: positive integer.
        embedding_dim: width of the source embedding.
        units: width of the recurrent state in each direction.
        num_layers: number of bidirectional layers.
        cell: `"gru"` or `"lstm"`.
        memory: `"annotations"` or `"summary"`.
        dropout: rate on the embeddings, between layers and on the memory.
        recurrent_dropout: rate on the recurrent connections.
        initializer_range: weights start uniform in [-initializer_range, initializer_range].
        pad_id: the id of padding. It is masked: more padding never changes the outputs.
        skip_padding: whether time steps of padding are skipped, on TensorFlow and PyTorch (see
            `AttentionRNN`).
        embedding: a `keras.layers.Embedding` of `vocabulary_size` and `embedding_dim` to share
            with another model; `None` for a new one.

    Inputs:
        `source_ids`: integer tensor of shape `(batch_size, source_length)`.

    Outputs:
        dict of `memory`, float tensor of shape `(batch_size, source_length, 2 * units)`, zero on
        padding; `memory_mask`, bool tensor of shape `(batch_size, source_length)`, True on real
        tokens; `encoder_state`, float tensor of shape `(batch_size, 2 * units)`: the last forward
        and the last backward state, side by side.

    Raises:
        ValueError: an argument is out of its range; an embedding of another size.

    References: https://arxiv.org/abs/1409.0473, section 3.2; Cho et al. 2014,
    https://arxiv.org/abs/1406.1078, section 2.2 (the summary).
    """

    def __init__(
        self,
        vocabulary_size,
        embedding_dim=256,
        units=256,
        num_layers=1,
        cell="gru",
        memory="annotations",
        dropout=0.0,
        recurrent_dropout=0.0,
        initializer_range=0.1,
        pad_id=0,
        skip_padding=False,
        embedding=None,
        **kwargs,
    ):
        sizes = {
            "vocabulary_size": vocabulary_size,
            "embedding_dim": embedding_dim,
            "units": units,
            "num_layers": num_layers,
        }
        for name, size in sizes.items():
            check_positive_integer(name, size)
        check_choice("memory", memory, MEMORIES)
        check_rate("dropout", dropout)
        check_rate("recurrent_dropout", recurrent_dropout)
        _check_embedding(embedding, vocabulary_size, embedding_dim)

        # Layers.
        source_embedding = embedding or keras.layers.Embedding(
            vocabulary_size,
            embedding_dim,
            embeddings_initializer=uniform_initializer(initializer_range),
            name="source_embedding",
        )
        layers = [
            bidirectional_layer(
                recurrent_layer(
                    cell,
                    units,
                    initializer_range=initializer_range,
                    recurrent_dropout=recurrent_dropout,
                    skip_padding=skip_padding,
                    name=f"recurrent_{index}",
                ),
                name=f"bidirectional_{index}",
            )
            for index in range(num_layers)
        ]

        # Functional model.
        source_ids = keras.Input((None,), dtype="int32", name="source_ids")
        memory_mask = ops.not_equal(source_ids, pad_id)
        annotations = keras.layers.Dropout(dropout)(source_embedding(source_ids))
        for layer in layers:
            annotations, *states = layer(annotations, mask=memory_mask)
            annotations = keras.layers.Dropout(dropout)(annotations)
        encoder_state = ops.concatenate([states[0], states[len(states) // 2]], axis=-1)
        if memory == "summary":
            annotations = ops.expand_dims(keras.layers.Dropout(dropout)(encoder_state), 1)
        annotations = annotations * ops.expand_dims(ops.cast(memory_mask, annotations.dtype), -1)
        super().__init__(
            inputs=source_ids,
            outputs={
                "memory": annotations,
                "memory_mask": memory_mask,
                "encoder_state": encoder_state,
            },
            **kwargs,
        )

        # Config.
        self.vocabulary_size = vocabulary_size
        self.embedding_dim = embedding_dim
        self.units = units
        self.num_layers = num_layers
        self.cell = cell
        self.memory = memory
        self.dropout = dropout
        self.recurrent_dropout = recurrent_dropout
        self.initializer_range = initializer_range
        self.pad_id = pad_id
        self.skip_padding = skip_padding
        self.embedding = embedding

    def get_config(self):
        return {
            "name": self.name,
            "trainable": self.trainable,
            "vocabulary_size": self.vocabulary_size,
            "embedding_dim": self.embedding_dim,
            "units": self.units,
            "num_layers": self.num_layers,
            "cell": self.cell,
            "memory": self.memory,
            "dropout": self.dropout,
            "recurrent_dropout": self.recurrent_dropout,
            "initializer_range": self.initializer_range,
            "pad_id": self.pad_id,
            "skip_padding": self.skip_padding,
            "embedding": keras.saving.serialize_keras_object(self.embedding),
        }

    @classmethod
    def from_config(cls, config):
        embedding = keras.saving.deserialize_keras_object(config["embedding"])
        return cls(**{**config, "embedding": embedding})


def _check_embedding(embedding, vocabulary_size, embedding_dim):
    if embedding is None:
        return
    received = (embedding.input_dim, embedding.output_dim)
    if received != (vocabulary_size, embedding_dim):
        raise ValueError(
            "Expected an `embedding` of `vocabulary_size` and `embedding_dim`, "
            f"{(vocabulary_size, embedding_dim)}. Received: one of {received}"
        )
