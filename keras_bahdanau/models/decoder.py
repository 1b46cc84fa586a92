"""The decoder: attends to the memory and predicts the next token."""

import keras
from keras import ops

from keras_bahdanau.backend.indexing import rows_of
from keras_bahdanau.layers.arguments import check_choice, check_positive_integer, check_rate
from keras_bahdanau.models.decoder_start import decoder_start
from keras_bahdanau.models.recurrent_layers import decoder_recurrence, uniform_initializer
from keras_bahdanau.recurrent.attention_cell import ORDERS

CHOICES = {
    "order": ORDERS,
    "attention_normalization": ("none", "layer"),
    "tie_embeddings": ("none", "target"),
}


def check_decoder_arguments(sizes, choices, rates):
    """Raises ValueError unless the arguments of a `Decoder` are in their ranges and fit.

    Args:
        sizes, choices, rates: dicts of arguments by name.
    """
    for name, size in sizes.items():
        check_positive_integer(name, size)
    for name, choice in choices.items():
        check_choice(name, choice, CHOICES[name])
    for name, rate in rates.items():
        check_rate(name, rate)
    readout, embedding = sizes["readout_units"], sizes["embedding_dim"]
    if choices["tie_embeddings"] == "target" and readout != embedding:
        raise ValueError(
            "With tie_embeddings='target', `readout_units` must equal `embedding_dim`. "
            f"Received: readout_units={readout}, embedding_dim={embedding}"
        )


@keras.saving.register_keras_serializable(package="keras_bahdanau")
class Decoder(keras.Model):
    """Recurrent decoder with additive attention, a functional model.

    One model serves teacher forcing (`target_length` tokens at once) and generation (one token at
    a time): the recurrent states come in as `initial_state` and go out as `states`.

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
        attention_normalization: `"layer"` to normalize what is inside the attention's tanh (see
            `layer_normalization` of `BahdanauAttention`), else `"none"`.
        tie_embeddings: `"target"`: E is the output matrix too (Press and Wolf 2017,
            https://arxiv.org/abs/1608.05859); `"none"`: W_o is a matrix of its own.
        dropout: rate on the embeddings, between stacked cells and on the deep output.
        recurrent_dropout: rate on the recurrent connections.
        attention_dropout: rate at which memory positions are left out of the contexts.
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
        features_model: what a position knows before the readout, `[s_i; c_i; E y_{i-1}]`, of the
            inputs above and `target_mask`, bool tensor of shape `(batch_size, target_length)`.
            With `skip_padding`, positions where that is False are skipped (see `AttentionRNN`).
        readout_model: the deep output t_i of these features.
        output_layer: the layer whose weights make logits of the deep output.

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
        attention_normalization="none",
        tie_embeddings="target",
        dropout=0.0,
        recurrent_dropout=0.0,
        attention_dropout=0.0,
        initializer_range=0.1,
        skip_padding=False,
        **kwargs,
    ):
        readout_units = embedding_dim if readout_units is None else readout_units
        sizes = {
            "vocabulary_size": vocabulary_size,
            "memory_dim": memory_dim,
            "embedding_dim": embedding_dim,
            "units": units,
            "attention_units": attention_units,
            "readout_units": readout_units,
            "num_layers": num_layers,
        }
        choices = {
            "order": order,
            "attention_normalization": attention_normalization,
            "tie_embeddings": tie_embeddings,
        }
        rates = {
            "dropout": dropout,
            "recurrent_dropout": recurrent_dropout,
            "attention_dropout": attention_dropout,
        }
        check_decoder_arguments(sizes, choices, rates)

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
            layer_normalization=attention_normalization == "layer",
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
        # They are float32 already, but Keras takes a reversed embedding for one of half precision.
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
        self.start_model = decoder_start(attention_rnn, memory_dim, initializer_range)
        self.features_model = keras.Model(
            {**self.input, "target_mask": target_mask}, recur(target_mask)[0], name="features_model"
        )
        self.readout_model = keras.Model(features, deep_output, name="readout_model")
        self.output_layer = embedding if tie_embeddings == "target" else output
        self.embedding, self.attention_rnn, self.readout = embedding, attention_rnn, readout

        # Config.
        others = {"cell": cell, "initializer_range": initializer_range}
        self._arguments = {**sizes, **choices, **rates, **others, "skip_padding": skip_padding}
        for name, value in self._arguments.items():
            setattr(self, name, value)

    def start(self, memory, encoder_state):
        """What the first step needs, computed once for each source text.

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
        """What `step` multiplies by, computed once for all steps.

        Returns:
            A float32 tensor of shape `(readout_units, vocabulary_size)`: a tied table, which lies
            the other way, transposed. A product with the table as it lies takes up to twice as
            long on a processor.
        """
        if self.tie_embeddings == "target":
            return ops.transpose(self.embedding.embeddings)
        return ops.convert_to_tensor(self.output_layer.kernel)

    def step(self, token_ids, states, memory, memory_mask, keys, output_kernel):
        """One step of generation: what a call with one token gives, by far fewer operations.

        Args:
            token_ids: integer tensor of shape `(rows,)`, the tokens before.
            states: the `initial_state` of `start`, or what this returned.
            memory, memory_mask, keys: see the inputs; of as many rows.
            output_kernel: what `output_kernel` returned.

        Returns:
            `(logits, states, attention_scores)`: a float32 tensor of shape
            `(rows, vocabulary_size)`, a list, and a float tensor of shape `(rows, source_length)`.
        """
        table = self.embedding.embeddings
        embedded = ops.cast(rows_of(table, token_ids), self.compute_dtype)
        output, context, attention_scores, states = self.attention_rnn(
            embedded, memory, memory_mask=memory_mask, keys=keys, initial_state=states
        )
        deep_output = self.readout(ops.concatenate([output, context, embedded], axis=-1))
        logits = ops.matmul(ops.cast(deep_output, "float32"), output_kernel)
        if self.tie_embeddings != "target":
            logits = logits + self.output_layer.bias
        return logits, states, attention_scores

    def get_config(self):
        return {"name": self.name, "trainable": self.trainable, **self._arguments}
