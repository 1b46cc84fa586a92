"""One step of a recurrent cell that attends to a memory."""

import keras
from keras import ops, tree

ORDERS = ("before", "after")


@keras.saving.register_keras_serializable(package="keras_bahdanau")
class AttentionCell(keras.layers.Layer):
    """A cell for `keras.layers.RNN`: any Keras cell together with an attention layer.

    With `order="before"`, the order of Bahdanau et al. (2015), the previous state is the query:

        c_i = attention(s_{i-1}, memory)
        s_i = cell([y_{i-1}; c_i], s_{i-1})

    With `order="after"`, the order of Luong et al. (2015) with input feeding and of TensorFlow
    Addons' `AttentionWrapper`, the new output is the query, and the context goes into the next
    step:

        s_i = cell([y_{i-1}; c_{i-1}], s_{i-1})
        c_i = attention(s_i, memory)

    Keras 3's `RNN` passes no constants to its cell, so memory, keys and mask travel as states
    that no step changes. `AttentionRNN` sees to that, and to the dropout of the inner cell. Who
    puts this cell into a `keras.layers.RNN` of their own calls `build` first, passes all states as
    `initial_state`, and uses an inner cell without dropout.

    Args:
        cell: a Keras cell: `GRUCell`, `LSTMCell`, `StackedRNNCells`, or one of your own with
            `state_size`.
        attention: a `BahdanauAttention` layer.
        order: `"before"` or `"after"`.

    Call arguments:
        inputs: tensor of shape `(batch_size, input_dim)`: y_{i-1}.
        states: list of the recurrent states, each of shape `(batch_size, units)` (first those of
            the cell, from the lowest layer up; then, with `order="after"`, the last context of
            shape `(batch_size, value_dim)`), followed by the memory of shape `(batch_size,
            value_length, value_dim)`, its keys of shape `(batch_size, value_length,
            attention_units)` and its bool mask of shape `(batch_size, value_length)`.

    Returns:
        `(outputs, states)`: the cell's output, the context and the weights, concatenated to the
        shape `(batch_size, units + value_dim + value_length)`; and the new states in the same
        order. `split_outputs` takes the first apart.
    """

    def __init__(self, cell, attention, order="before", **kwargs):
        super().__init__(**kwargs)
        if order not in ORDERS:
            raise ValueError(f"Argument `order` must be one of {ORDERS}. Received: order={order}")
        self.cell = cell
        self.attention = attention
        self.order = order
        self.value_dim = None

    @property
    def units(self):
        """Width of the cell's output."""
        size = getattr(self.cell, "output_size", None)
        return size if size is not None else tree.flatten(self.cell.state_size)[0]

    @property
    def recurrent_state_size(self):
        """Widths of the recurrent states, a flat list."""
        sizes = list(tree.flatten(self.cell.state_size))
        return sizes + [self.value_dim] if self.order == "after" else sizes

    @property
    def state_size(self):
        return [*self.recurrent_state_size, self.value_dim, self.attention.units, 1]

    @property
    def output_size(self):
        return self.units + (self.value_dim or 0)

    def build(self, inputs_shape, memory_shape=None):
        if memory_shape is None:
            raise ValueError(
                "Call `build(inputs_shape, memory_shape)` before this cell is used inside "
                "`keras.layers.RNN`, which knows no memory. Received: "
                f"inputs_shape={inputs_shape}, memory_shape=None"
            )
        batch_size, self.value_dim = inputs_shape[0], memory_shape[-1]
        if not self.attention.built:
            self.attention.build((batch_size, self.query_dim), memory_shape)
        if isinstance(self.cell, keras.layers.Layer) and not self.cell.built:
            self.cell.build((batch_size, inputs_shape[-1] + self.value_dim))
        self.built = True

    @property
    def query_dim(self):
        if self.order == "after":
            return self.units
        return tree.flatten(self.cell.state_size)[self._query_index]

    @property
    def _query_index(self):
        # The first state of the top cell: h of a GRU or LSTM.
        sizes = self.cell.state_size
        top = sizes[-1] if hasattr(self.cell, "cells") else sizes
        return len(tree.flatten(sizes)) - len(tree.flatten(top))

    def call(self, inputs, states, training=None):
        *recurrent, memory, keys, mask = states
        if self.order == "before":
            context, weights = self._attend(recurrent[self._query_index], memory, keys, mask)
            output, recurrent = self._advance(inputs, context, recurrent, training)
        else:
            *recurrent, previous_context = recurrent
            output, recurrent = self._advance(inputs, previous_context, recurrent, training)
            context, weights = self._attend(output, memory, keys, mask)
            recurrent = [*recurrent, context]
        outputs = ops.concatenate([output, context, weights], axis=-1)
        return outputs, [*recurrent, memory, keys, mask]

    def _attend(self, query, memory, keys, mask):
        return self.attention(
            query,
            memory,
            # `keras.layers.RNN` turns all its states into floats.
            value_mask=ops.cast(mask, "bool"),
            keys=keys,
            return_attention_scores=True,
            # The recurrent layer drops memory positions for the whole sequence instead.
            training=False,
        )

    def _advance(self, inputs, context, recurrent, training):
        packed = tree.pack_sequence_as(self.cell.state_size, list(recurrent))
        if not isinstance(packed, (list, tuple)):
            packed = [packed]
        output, states = self.cell(
            ops.concatenate([inputs, context], axis=-1), packed, training=training
        )
        return output, list(tree.flatten(states))

    def split_outputs(self, outputs):
        """Takes outputs of shape `(..., units + value_dim + value_length)` apart.

        Returns:
            `(output, context, weights)` of the widths `units`, `value_dim` and `value_length`.
        """
        after_output, after_context = self.units, self.units + self.value_dim
        return (
            outputs[..., :after_output],
            outputs[..., after_output:after_context],
            outputs[..., after_context:],
        )

    def get_config(self):
        return {
            **super().get_config(),
            "cell": keras.saving.serialize_keras_object(self.cell),
            "attention": keras.saving.serialize_keras_object(self.attention),
            "order": self.order,
        }

    @classmethod
    def from_config(cls, config):
        config = {
            **config,
            "cell": keras.saving.deserialize_keras_object(config["cell"]),
            "attention": keras.saving.deserialize_keras_object(config["attention"]),
        }
        return cls(**config)
