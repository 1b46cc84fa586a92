"""The decoder: attends to the memory and predicts the next token."""

import keras
from keras import ops

from keras_bahdanau.backend.indexing import rows_of
from keras_bahdanau.layers.arguments import check_choice, check_positive_integer, check_rate
from keras_bahdanau.models.recurrent_layers import decoder_recurrence, uniform_initializer
from keras_bahdanau.recurrent.attention_cell import ORDERS
from keras_bahdanau.recurrent.attention_step import Attended, attention_step

TIES = ("none", "target")


@keras.saving.register_keras_serializable(package="keras_bahdanau")
class Decoder(keras.Model):
    """Recurrent decoder with additive attention, a functional model.

    One model serves teacher forcing (`target_length` tokens at once) and generation (one token at
    a time): it takes the recurrent states as `initial_state` and returns them as `states`.

    At step i, from the previous token y_{i-1} and the previous state s_{i-1} (Bahdanau et al.
    2015, appendix A.2.2; for the other orders see `AttentionCell`):

        c_i = attention(s_{i-1}, memory)
        s_i = cell([E y_{i-1}; c_i], s_{i-1})
        t_i = tanh(W_t [s_i; c_i; E y_{i-1}] + b_t)     deep output; the paper has maxout here
        p(y_i) = softmax(E t_i)                         tied; else softmax(W_o t_i + b_o)

    Args:
        vocabulary_size: positive integer.
        memory_dim: width of the memory, and of the encoder's state.
        embedding_dim: width of the target embedding E.
        units: width of the recurrent state.
        attention_units: width of the attention's projections.
        readout_units: width of the deep output t_i; `None` for `embedding_dim`, which
            `tie_embeddings="target"` requires.
        num_layers: number of stacked cells; the topmost state is the query.
        cell: `"gru"` or `"lstm"`.
        order: `"before"`, `"after"` or `"between"` (the conditional GRU: each stacked cell makes
            two transitions of its state, with the attention between them): see `AttentionCell`.
        tie_embeddings: `"target"`: E is the output matrix too (Press and Wolf 2017,
            https://arxiv.org/abs/1608.05859); `"none"`: W_o is a matrix of its own.
        dropout: rate on the embeddings, between stacked cells and on the deep output.
        recurrent_dropout: rate on the recurrent connections.
        attention_dropout: rate at which whole memory positions are dropped, the same at all steps
            of a sequence: `position_dropout` of the attention.
        initializer_range: weights start uniform in [-initializer_range, initializer_range].
        skip_padding: for `features_model`, see there.

    Inputs:
        dict of `target_in_ids`, integer tensor of shape `(batch_size, target_length)`, the
        previous tokens, first the start token; `memory` and `memory_mask` from the encoder;
        `keys` and `initial_state` from `start`, or the latter from the `states` of the call before.

    Outputs:
        dict of `logits`, float32 tensor of shape `(batch_size, target_length, vocabulary_size)`;
        `states`, the structure of `initial_state`; `attention_scores`, float tensor of shape
        `(batch_size, target_length, source_length)`, zero on padding.

    Attributes:
        start_model: the model behind `start`.
        features_model: the input of the readout, `[s_i; c_i; E y_{i-1}]`, from the inputs above and
            `target_mask`, bool tensor of shape `(batch_size, target_length)`. With `skip_padding`,
            positions where it is False are skipped (see `AttentionRNN`).
        readout_model: the deep output t_i, from these features.
        output_layer: the layer whose weights project the deep output to logits.

    Raises:
        ValueError: an argument is out of its range; `tie_embeddings="target"` with a readout of
            another width than the embedding.

    Reference: https://arxiv.org/abs/1409.0473, appendix A.2.2.
    """

    def __init__(
        self,
        vocabulary_size,
        memory_dim,
        embedding_dim=256,
        units=512,
        attention_units=256,
        readout_units=None,
        num_layers=1,
        cell="gru",
        order="before",
        tie_embeddings="target",
        dropout=0.0,
        recurrent_dropout=0.0,
        attention_dropout=0.0,
        initializer_range=0.1,
        skip_padding=False,
        **kwargs,
    ):
        readout_units = embedding_dim if readout_units is None else readout_units
        for name, size in {
            "vocabulary_size": vocabulary_size,
            "memory_dim": memory_dim,
            "embedding_dim": embedding_dim,
            "units": units,
            "attention_units": attention_units,
            "readout_units": readout_units,
            "num_layers": num_layers,
        }.items():
            check_positive_integer(name, size)
        check_choice("order", order, ORDERS)
        check_choice("tie_embeddings", tie_embeddings, TIES)
        check_rate("dropout", dropout)
        check_rate("recurrent_dropout", recurrent_dropout)
        check_rate("attention_dropout", attention_dropout)
        if tie_embeddings == "target" and readout_units != embedding_dim:
            raise ValueError(
                "With tie_embeddings='target', `readout_units` must equal `embedding_dim`. "
                f"Received: readout_units={readout_units}, embedding_dim={embedding_dim}"
            )

        # Layers.
        embedding = keras.layers.ReversibleEmbedding(
            vocabulary_size,
            embedding_dim,
            embeddings_initializer=uniform_initializer(initializer_range),
            reverse_dtype="float32",
            name="target_embedding",
        )
        attention_rnn = decoder_recurrence(
            cell,
            units,
            num_layers,
            attention_units,
            order=order,
            dropout=dropout,
            recurrent_dropout=recurrent_dropout,
            attention_dropout=attention_dropout,
            initializer_range=initializer_range,
            skip_padding=skip_padding,
        )
        attention_rnn.build((None, None, embedding_dim), (None, None, memory_dim))
        readout = keras.layers.Dense(
            readout_units,
            activation="tanh",
            kernel_initializer=uniform_initializer(initializer_range),
            name="readout",
        )
        output = keras.layers.Dense(
            vocabulary_size,
            kernel_initializer=uniform_initializer(initializer_range),
            dtype="float32",
            name="output",
        )

        # Functional model.
        target_in_ids = keras.Input((None,), dtype="int32", name="target_in_ids")
        memory = keras.Input((None, memory_dim), name="memory")
        memory_mask = keras.Input((None,), dtype="bool", name="memory_mask")
        keys = keras.Input((None, attention_units), name="keys")
        initial_state = [
            keras.Input((size,), name=f"state_{index}")
            for index, size in enumerate(attention_rnn.attention_cell.recurrent_state_size)
        ]
        target_mask = keras.Input((None,), dtype="bool", name="target_mask")
        embedded = keras.layers.Dropout(dropout)(embedding(target_in_ids))
        concatenate = keras.layers.Concatenate(name="features")

        def recur(inputs_mask=None):
            outputs, contexts, attention_scores, states = attention_rnn(
                embedded,
                memory,
                memory_mask=memory_mask,
                keys=keys,
                initial_state=initial_state,
                inputs_mask=inputs_mask,
            )
            return concatenate([outputs, contexts, embedded]), attention_scores, states

        features, attention_scores, states = recur()
        deep_output = keras.layers.Dropout(dropout)(readout(features))
        if tie_embeddings == "target":
            logits = embedding(deep_output, reverse=True)
        else:
            logits = output(deep_output)
        # They are float32 already, but Keras infers the compute dtype for a reversed embedding.
        logits = ops.cast(logits, "float32")
        super().__init__(
            inputs={
                "target_in_ids": target_in_ids,
                "memory": memory,
                "memory_mask": memory_mask,
                "keys": keys,
                "initial_state": initial_state,
            },
            outputs={"logits": logits, "states": states, "attention_scores": attention_scores},
            **kwargs,
        )
        self.start_model = start_model(attention_rnn, memory_dim, initializer_range)
        self.features_model = keras.Model(
            {**self.input, "target_mask": target_mask}, recur(target_mask)[0], name="features_model"
        )
        self.readout_model = keras.Model(features, deep_output, name="readout_model")
        self.output_layer = embedding if tie_embeddings == "target" else output
        self.embedding, self.attention_rnn, self.readout = embedding, attention_rnn, readout

        # Config.
        self.vocabulary_size = vocabulary_size
        self.memory_dim = memory_dim
        self.embedding_dim = embedding_dim
        self.units = units
        self.attention_units = attention_units
        self.readout_units = readout_units
        self.num_layers = num_layers
        self.cell = cell
        self.order = order
        self.tie_embeddings = tie_embeddings
        self.dropout = dropout
        self.recurrent_dropout = recurrent_dropout
        self.attention_dropout = attention_dropout
        self.initializer_range = initializer_range
        self.skip_padding = skip_padding

    def start(self, memory, encoder_state):
        """Projected keys and initial states, computed once for each source text.

        Args:
            memory: tensor of shape `(batch_size, source_length, memory_dim)`.
            encoder_state: tensor of shape `(batch_size, memory_dim)`.

        Returns:
            dict of `keys`, tensor of shape `(batch_size, source_length, attention_units)`, and
            `initial_state`, a list of tensors of shape `(batch_size, units)`: each is
            tanh(W encoder_state + b) (the paper's appendix A.2.2, from both directions).
        """
        return self.start_model({"memory": memory, "encoder_state": encoder_state})

    def output_kernel(self):
        """The output matrix for `step`, computed once for all steps.

        Returns:
            A float32 tensor of shape `(readout_units, vocabulary_size)`: the transpose of a tied
            embedding table. On a CPU, a product with the table that is transposed at each step
            takes up to twice as long.
        """
        if self.tie_embeddings == "target":
            return ops.transpose(self.embedding.embeddings)
        return ops.convert_to_tensor(self.output_layer.kernel)

    def step(self, token_ids, states, memory, memory_mask, keys, output_kernel):
        """One step of generation: a call with one token, in far fewer operations.

        Args:
            token_ids: integer tensor of shape `(rows,)`: the previous tokens.
            states: the `initial_state` of `start`, or the states that the last step returned.
            memory, memory_mask, keys: see the inputs; of as many rows.
            output_kernel: what `output_kernel()` returned.

        Returns:
            `(logits, states, attention_scores)`: a float32 tensor of shape
            `(rows, vocabulary_size)`, a list, and a float tensor of shape `(rows, source_length)`.
        """

        def cast(tensor):
            return ops.cast(tensor, self.compute_dtype)

        embedded = cast(rows_of(self.embedding.embeddings, token_ids))
        output, context, (attention_scores,), states = attention_step(
            self.attention_rnn.attention_cell,
            embedded,
            [cast(state) for state in states],
            [Attended(cast(memory), cast(keys), memory_mask)],
            training=False,
        )
        deep_output = self.readout(ops.concatenate([output, context, embedded], axis=-1))
        logits = ops.matmul(ops.cast(deep_output, "float32"), output_kernel)
        if self.tie_embeddings != "target":
            logits = logits + self.output_layer.bias
        return logits, states, attention_scores

    def get_config(self):
        return {
            "name": self.name,
            "trainable": self.trainable,
            "vocabulary_size": self.vocabulary_size,
            "memory_dim": self.memory_dim,
            "embedding_dim": self.embedding_dim,
            "units": self.units,
            "attention_units": self.attention_units,
            "readout_units": self.readout_units,
            "num_layers": self.num_layers,
            "cell": self.cell,
            "order": self.order,
            "tie_embeddings": self.tie_embeddings,
            "dropout": self.dropout,
            "recurrent_dropout": self.recurrent_dropout,
            "attention_dropout": self.attention_dropout,
            "initializer_range": self.initializer_range,
            "skip_padding": self.skip_padding,
        }

    @classmethod
    def from_config(cls, config):
        return cls(**without_attention_normalization(config))


def without_attention_normalization(config):
    """A config without the key `attention_normalization`, which models of earlier versions have.

    Raises:
        ValueError: its value is not `"none"`.
    """
    config = dict(config)
    value = config.pop("attention_normalization", "none")
    if value != "none":
        raise ValueError(
            "Layer normalization is an option of `BahdanauAttention` (`layer_normalization`) and "
            f"no longer one of the models. Received a config with attention_normalization={value!r}"
        )
    return config


def start_model(attention_rnn, memory_dim, initializer_range):
    """The functional model of `Decoder.start`."""
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


class KeyProjection(keras.layers.Layer):
    """`attention.project_keys` as a layer of a functional model.

    Args:
        attention: a built `BahdanauAttention`, whose weights this layer shares.
        **kwargs: see `keras.layers.Layer`.

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
        # Loaded from a config, it would not share the decoder's attention.
        raise NotImplementedError(
            "Expected a `Decoder` or `TranslationModel` to save, with which the model `start` is "
            "saved. Received: a model that contains `start` or its layers"
        )
