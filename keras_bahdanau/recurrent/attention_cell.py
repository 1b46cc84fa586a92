"""A recurrent cell that attends to memories, one step at a time."""

import keras
from keras import ops, tree

from keras_bahdanau.backend.indexing import split
from keras_bahdanau.layers.arguments import check_choice
from keras_bahdanau.recurrent.attention_step import attention_step
from keras_bahdanau.recurrent.memories import (
    Attended,
    attend_to,
    check_count,
    one_for_each,
    shape_for_each,
)
from keras_bahdanau.recurrent.states import recurrent_states, state_sizes

PARTS = ("cell", "attention", "second_cell", "attention_layer", "input_layer")


def check_parts(cell):
    """Raises ValueError unless the parts of an `AttentionCell` fit together."""
    order, second_cell = cell.order, cell.second_cell
    if (second_cell is not None) != (order == "between"):
        raise ValueError(
            "Expected `second_cell` with order='between', and only then. Received: "
            f"order={order!r}, second_cell={second_cell}"
        )
    if second_cell is not None:
        sizes = [list(tree.flatten(cell.state_size)) for cell in (cell.cell, second_cell)]
        if sizes[0] != sizes[1]:
            raise ValueError(
                f"Expected `second_cell` to have the states of `cell`, of widths {sizes[0]}. "
                f"Received: {sizes[1]}"
            )
        if cell.input_layer is not None:
            raise ValueError(
                "Expected no `input_layer` with order='between', whose two cells have one input "
                f"each. Received: input_layer={cell.input_layer}"
            )
    if isinstance(cell.attention_layer, (list, tuple)):
        check_count("attention_layer", cell.attention_layer, cell.count)


def build_parts(cell, inputs_shape, memory_shape):
    """Builds what is not built yet of an `AttentionCell`, and sets its widths."""
    batch_size, input_dim = inputs_shape[0], inputs_shape[-1]
    shapes = shape_for_each(memory_shape, cell.count)
    cell.value_dims = [shape[-1] for shape in shapes]
    cell.context_dims = []
    for attention, layer, shape in zip(cell.attentions, cell.attention_layers, shapes, strict=True):
        if not attention.built:
            attention.build((batch_size, cell.query_dim), shape)
        dim = shape[-1]
        if layer is not None:
            joined = (batch_size, cell.query_dim + dim)
            if not layer.built:
                layer.build(joined)
            dim = layer.compute_output_shape(joined)[-1]
        cell.context_dims.append(dim)
    if cell.order == "between":
        cell.cell_input_dims = [input_dim, cell.context_dim]
    elif cell.input_layer is None:
        cell.cell_input_dims = [input_dim + cell.context_dim]
    else:
        joined = [(batch_size, input_dim), (batch_size, cell.context_dim)]
        if not cell.input_layer.built:
            cell.input_layer.build(joined)
        cell.cell_input_dims = [cell.input_layer.compute_output_shape(joined)[-1]]
    for transition, dim in zip(cell.transitions, cell.cell_input_dims, strict=True):
        if isinstance(transition, keras.layers.Layer) and not transition.built:
            transition.build((batch_size, dim))


def deserialized_parts(config):
    """A config whose parts are objects again."""
    return {
        name: keras.saving.deserialize_keras_object(value) if name in PARTS else value
        for name, value in config.items()
    }


ORDERS, OUTPUTS = ("before", "after", "between"), ("all", "cell", "attention")


@keras.saving.register_keras_serializable(package="keras_bahdanau")
class AttentionCell(keras.layers.Layer):
    """A cell for `keras.layers.RNN`: any Keras cell together with attention layers.

    With `order="before"` (Bahdanau et al. 2015) the previous state is the query:

        c_i = attention(s_{i-1}, memory)
        s_i = cell([y_{i-1}; c_i], s_{i-1})

    With `order="after"` (Luong et al. 2015 with input feeding; TensorFlow Addons'
    `AttentionWrapper`) the new output is the query, and the context goes into the next step:

        s_i = cell([y_{i-1}; c_{i-1}], s_{i-1})
        c_i = attention(s_i, memory)

    With `order="between"`, the conditional GRU (Sennrich et al. 2017, section 3.2), it comes
    between two transitions of one state:

        s'_i = cell(y_{i-1}, s_{i-1})
        c_i = attention(s'_i, memory)
        s_i = second_cell(c_i, s'_i)

    Keras 3's `RNN` passes no constants to its cell, so here memory, keys and mask travel as states
    that no step changes: `build` this cell first, then pass `initial_states(memory)` to the
    `keras.layers.RNN`. `AttentionRNN` needs neither, and keeps the dropout of the inner cells, the
    noise of a monotonic attention and the losses of a coverage attention in order, which a
    `keras.layers.RNN` does not know of: use it to train with those.

    Args:
        cell: a Keras cell: `GRUCell`, `LSTMCell`, `StackedRNNCells`, or one of your own with
            `state_size`.
        attention: an attention layer of this package, or a list of them. Each has a memory of its
            own, and their contexts are concatenated.
        order: `"before"`, `"after"` or `"between"`.
        second_cell: with `order="between"` the second transition, a cell with the states of
            `cell`; else `None`.
        attention_layer: a layer, or a list of one for each attention, that makes of
            `[query; context]` what takes the place of the context everywhere, as
            `keras.layers.Dense(128, use_bias=False, activation="tanh")` does in Luong et al.
            (2015), equation 5. `None` for the context itself.
        input_layer: a layer that makes the cell's input of the list `[inputs, context]`; `None`
            for `keras.layers.Concatenate()`. Not with `order="between"`.
        output: `"all"`, `"cell"` or `"attention"`: what the outputs of a step are.

    Call arguments:
        inputs: tensor of shape `(batch_size, input_dim)`: y_{i-1}.
        states: list of the recurrent states (the cell's, each of shape `(batch_size, units)`, from
            the lowest layer up; with `order="after"` the last context; the states of attention
            layers that have one, by name), followed by all memories of shape `(batch_size,
            value_length, value_dim)`, all keys of shape `(batch_size, value_length, keys_dim)` and
            all masks of shape `(batch_size, value_length)`.

    Returns:
        `(outputs, states)`. With `output="all"` outputs are the cell's output, the context and the
        weights side by side, of shape `(batch_size, units + context_dim + value_length)`, which
        `split_outputs` takes apart; with `"cell"` or `"attention"` only the first or second. The
        new states have the order of the old ones.

    References: https://arxiv.org/abs/1409.0473, https://arxiv.org/abs/1508.04025,
    https://arxiv.org/abs/1703.04357 (Nematus, the conditional GRU).
    """

    def __init__(
        self,
        cell,
        attention,
        order="before",
        second_cell=None,
        attention_layer=None,
        input_layer=None,
        output="all",
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.order = check_choice("order", order, ORDERS)
        self.output_choice = check_choice("output", output, OUTPUTS)
        self.cell = cell
        self.second_cell = second_cell
        self.attention = attention
        self.attention_layer = attention_layer
        self.input_layer = input_layer
        check_parts(self)
        self.value_dims = self.context_dims = self.cell_input_dims = None

    @property
    def attentions(self):
        """The attention layers, a list also where there is one."""
        return one_for_each(self.attention, 1)

    @property
    def attention_layers(self):
        """For each attention its attention layer, or `None`."""
        return one_for_each(self.attention_layer, self.count)

    @property
    def count(self):
        """Number of attention layers."""
        return len(self.attentions)

    @property
    def transitions(self):
        """The cell, and the second one where there is one."""
        return [cell for cell in (self.cell, self.second_cell) if cell is not None]

    @property
    def units(self):
        """Width of the cell's output."""
        size = getattr(self.cell, "output_size", None)
        return size if size is not None else tree.flatten(self.cell.state_size)[0]

    @property
    def context_dim(self):
        """Width of all contexts (or attention vectors) side by side; `None` before `build`."""
        return None if self.context_dims is None else sum(self.context_dims)

    @property
    def cell_state_size(self):
        """Widths of the cell's states, a flat list."""
        return list(tree.flatten(self.cell.state_size))

    @property
    def recurrent_state_size(self):
        """Widths of all recurrent states, a flat list; `None` for the length of a memory."""
        return state_sizes(self, [None] * self.count)

    @property
    def state_size(self):
        lengths = [None] * self.count
        keys_dims = [attention.keys_dim for attention in self.attentions]
        return [*self.recurrent_state_size, *(self.value_dims or lengths), *keys_dims, *lengths]

    @property
    def output_size(self):
        sizes = {"cell": self.units, "attention": self.context_dim}
        return sizes.get(self.output_choice, self.units + (self.context_dim or 0))

    @property
    def query_dim(self):
        if self.order == "before":
            return self.cell_state_size[self.query_index]
        return self.units

    @property
    def query_index(self):
        """Which of the cell's states is the query before the step."""
        # The first state of the top cell: h of a GRU or LSTM.
        sizes = self.cell.state_size
        top = sizes[-1] if hasattr(self.cell, "cells") else sizes
        return len(tree.flatten(sizes)) - len(tree.flatten(top))

    def build(self, inputs_shape, memory_shape=None):
        if memory_shape is None:
            raise ValueError(
                "Call `build(inputs_shape, memory_shape)` before this cell is used inside "
                "`keras.layers.RNN`, which knows no memory. Received: "
                f"inputs_shape={inputs_shape}, memory_shape=None"
            )
        build_parts(self, inputs_shape, memory_shape)
        self.built = True

    def initial_states(self, memory, memory_mask=None, keys=None, initial_state=None):
        """All states before the first step, for `initial_state` of a `keras.layers.RNN`.

        Args:
            memory: tensor of shape `(batch_size, value_length, value_dim)`, or a list of one for
                each attention.
            memory_mask: bool tensor of shape `(batch_size, value_length)`, a list, or `None`.
            keys: what `project_keys` of the attentions returned, or `None`.
            initial_state: list of the cell's states (the encoder's, say), or of all recurrent
                states; `None` for zeros.

        Returns:
            list of tensors.
        """
        attended = attend_to(self.attentions, memory, memory_mask, keys)
        masks = [
            ops.ones(ops.shape(each.memory)[:2], dtype="bool") if each.mask is None else each.mask
            for each in attended
        ]
        return [
            *recurrent_states(self, attended, initial_state),
            *(each.memory for each in attended),
            *(each.keys for each in attended),
            *(ops.cast(mask, self.compute_dtype) for mask in masks),
        ]

    def call(self, inputs, states, training=None):
        recurrent, constants = states[: -3 * self.count], states[-3 * self.count :]
        groups = [constants[i :: self.count] for i in range(self.count)]
        attended = [
            # `keras.layers.RNN` turns all its states into floats.
            Attended(memory, keys, ops.cast(mask, "bool"))
            for memory, keys, mask in groups
        ]
        output, context, weights, recurrent = attention_step(
            self, inputs, recurrent, attended, training=training
        )
        both = ops.concatenate([output, context, *weights], axis=-1)
        outputs = {"cell": output, "attention": context, "all": both}[self.output_choice]
        return outputs, [*recurrent, *constants]

    def split_outputs(self, outputs, value_lengths=None):
        """Takes outputs of shape `(..., units + context_dim + value_length)` apart.

        Args:
            outputs: tensor, the outputs of one step or of a sequence, with `output="all"`.
            value_lengths: with several attentions, list of the lengths of their memories.

        Returns:
            `(output, context, weights)` of the widths `units`, `context_dim` and `value_length`;
            weights are a list where `attention` is one.
        """
        several = isinstance(self.attention, (list, tuple))
        if not several:
            value_lengths = [ops.shape(outputs)[-1] - self.units - self.context_dim]
        parts = split(outputs, (self.units, self.context_dim, *value_lengths))
        output, context, *weights = parts
        return output, context, weights if several else weights[0]

    def get_config(self):
        return {
            **super().get_config(),
            "cell": keras.saving.serialize_keras_object(self.cell),
            "attention": keras.saving.serialize_keras_object(self.attention),
            "order": self.order,
            "second_cell": keras.saving.serialize_keras_object(self.second_cell),
            "attention_layer": keras.saving.serialize_keras_object(self.attention_layer),
            "input_layer": keras.saving.serialize_keras_object(self.input_layer),
            "output": self.output_choice,
        }

    @classmethod
    def from_config(cls, config):
        return cls(**deserialized_parts(config))
