"""A recurrent cell that attends to memories, one step at a time."""

import keras
from keras import ops, tree

from keras_bahdanau.backend.indexing import split
from keras_bahdanau.layers.arguments import check_choice
from keras_bahdanau.recurrent.attention_step import Attended, attention_step

ORDERS, OUTPUTS = ("before", "after", "between"), ("all", "cell", "attention")
# Arguments that are layers, or lists of layers.
PARTS = ("cell", "attention", "second_cell", "attention_layer", "input_layer")


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

    Keras 3's `RNN` passes no constants to its cell, so memory, keys and mask travel as states that
    no step changes: `build` this cell first, then pass `initial_states(memory)` to the
    `keras.layers.RNN`. `AttentionRNN` needs neither. Use it to train with dropout of the inner
    cells or of the attention, the noise of a monotonic attention or the loss of a coverage
    attention: a `keras.layers.RNN` draws masks for its own cells alone, and adds no losses.

    Args:
        cell: a Keras cell: `GRUCell`, `LSTMCell`, `StackedRNNCells`, or your own cell with
            `state_size`.
        attention: an attention layer of this package, or a list of them. Each has a memory of its
            own, and their contexts are concatenated. Its `dropout` (of attention weights, anew at
            each step) and its `position_dropout` (of memory positions, the same at all steps of a
            sequence) apply inside an `AttentionRNN` only.
        order: `"before"`, `"after"` or `"between"`.
        second_cell: with `order="between"` the second transition, a cell with the states of
            `cell`; else `None`.
        attention_layer: a layer, or a list of one for each attention, that computes the attention
            vector from `[query; context]`, used instead of the context everywhere:
            `keras.layers.Dense(128, use_bias=False, activation="tanh")` is Luong et al. (2015),
            equation 5. `None` for the context itself.
        input_layer: a layer that computes the cell's input from the list `[inputs, context]`;
            `None` for `keras.layers.Concatenate()`. Not with `order="between"`.
        output: `"all"`, `"cell"` or `"attention"`: the outputs of a step, see below.
        **kwargs: `name`, `dtype`, `trainable`: see `keras.layers.Layer`.

    Call arguments:
        inputs: tensor of shape `(batch_size, input_dim)`: y_{i-1}.
        states: list of the recurrent states (the cell's, each of shape `(batch_size, units)`, from
            the lowest layer up; with `order="after"` the last context; the states of attention
            layers that have one, by name), followed by all memories of shape `(batch_size,
            value_length, value_dim)`, all keys of shape `(batch_size, value_length, keys_dim)` and
            all masks of shape `(batch_size, value_length)`.

    Returns:
        `(outputs, states)`. With `output="all"`, outputs are the cell's output, the context and the
        attention weights, concatenated: a tensor of shape
        `(batch_size, units + context_dim + value_length)` for `split_outputs`; with `"cell"` or
        `"attention"`, the first or the second of them. The new states have the order of the old.

    Raises:
        ValueError: parts that do not fit together; used before it is built.

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
        # Keras has a property `output` of its own.
        self.output_choice = check_choice("output", output, OUTPUTS)
        # Keras lists weights in the order of these lines.
        self.cell = cell
        self.second_cell = second_cell
        self.attention = attention
        self.attention_layer = attention_layer
        self.input_layer = input_layer
        self._check_parts()
        self.value_dims = self.context_dims = self.cell_input_dims = None

    def _check_parts(self):
        if (self.second_cell is not None) != (self.order == "between"):
            raise ValueError(
                "Expected `second_cell` with order='between', and only then. Received: "
                f"order={self.order!r}, second_cell={self.second_cell}"
            )
        if self.second_cell is not None:
            sizes = [list(tree.flatten(cell.state_size)) for cell in self.transitions]
            if sizes[0] != sizes[1]:
                raise ValueError(
                    f"Expected `second_cell` to have the states of `cell`, of widths {sizes[0]}. "
                    f"Received: {sizes[1]}"
                )
            if self.input_layer is not None:
                raise ValueError(
                    "Expected no `input_layer` with order='between', where no cell has both inputs "
                    f"and context as its input. Received: input_layer={self.input_layer}"
                )
        if isinstance(self.attention_layer, (list, tuple)):
            check_count("attention_layer", self.attention_layer, self.count)

    def build(self, inputs_shape, memory_shape=None):
        if memory_shape is None:
            raise ValueError(
                "Call `build(inputs_shape, memory_shape)` before this cell is used inside "
                "`keras.layers.RNN`, which passes no memory shape. Received: "
                f"inputs_shape={inputs_shape}, memory_shape=None"
            )
        batch_size, input_dim = inputs_shape[0], inputs_shape[-1]
        self._build_attentions(batch_size, memory_shape)
        if self.order == "between":
            self.cell_input_dims = [input_dim, self.context_dim]
        elif self.input_layer is None:
            self.cell_input_dims = [input_dim + self.context_dim]
        else:
            joined = [(batch_size, input_dim), (batch_size, self.context_dim)]
            _build(self.input_layer, joined)
            self.cell_input_dims = [self.input_layer.compute_output_shape(joined)[-1]]
        for transition, dim in zip(self.transitions, self.cell_input_dims, strict=True):
            if isinstance(transition, keras.layers.Layer):
                _build(transition, (batch_size, dim))
        self.built = True

    def _build_attentions(self, batch_size, memory_shape):
        shapes = _shape_for_each(memory_shape, self.count)
        self.value_dims = [shape[-1] for shape in shapes]
        self.context_dims = []
        parts = zip(self.attentions, self.attention_layers, shapes, strict=True)
        for attention, attention_layer, shape in parts:
            _build(attention, (batch_size, self.query_dim), shape)
            dim = shape[-1]
            if attention_layer is not None:
                joined = (batch_size, self.query_dim + dim)
                _build(attention_layer, joined)
                dim = attention_layer.compute_output_shape(joined)[-1]
            self.context_dims.append(dim)

    def call(self, inputs, states, training=None):
        recurrent, constants = states[: -3 * self.count], states[-3 * self.count :]
        groups = [constants[i :: self.count] for i in range(self.count)]
        attended = [
            # `keras.layers.RNN` casts all its states to float.
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
        """Splits outputs of shape `(..., units + context_dim + value_length)` into their parts.

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

    # States.

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
        attended = self.attend_to(memory, memory_mask, keys)
        masks = [
            ops.ones(ops.shape(each.memory)[:2], dtype="bool") if each.mask is None else each.mask
            for each in attended
        ]
        return [
            *self.recurrent_states(attended, initial_state),
            *(each.memory for each in attended),
            *(each.keys for each in attended),
            *(ops.cast(mask, self.compute_dtype) for mask in masks),
        ]

    def attend_to(self, memory, memory_mask=None, keys=None):
        """Memory, keys and mask for each attention; keys are projected where none are given.

        Args:
            memory, memory_mask, keys: see `initial_states`.

        Returns:
            list of `Attended`.
        """
        given = (one_for_each(each, self.count) for each in (memory, keys, memory_mask))
        return [
            Attended(memory, attention.project_keys(memory) if keys is None else keys, mask)
            for attention, memory, keys, mask in zip(self.attentions, *given, strict=True)
        ]

    def recurrent_states(self, attended, initial_state=None):
        """The recurrent states before the first step: those given, and initial ones for the rest.

        Args:
            attended: list of `Attended`.
            initial_state: all recurrent states, or the cell's alone, or `None`.

        Returns:
            list of tensors.
        """
        given = [] if initial_state is None else list(tree.flatten(initial_state))
        dtypes = self.recurrent_state_dtypes
        if len(given) == len(dtypes):
            return [ops.cast(state, dtype) for state, dtype in zip(given, dtypes, strict=True)]
        batch_size = ops.shape(attended[0].memory)[0]

        def zeros(size):
            return ops.zeros((batch_size, size), dtype=self.compute_dtype)

        states = given or [zeros(size) for size in self.cell_state_size]
        if self.order == "after":
            states.append(zeros(self.context_dim))
        for attention, each in zip(self.attentions, attended, strict=True):
            state = attention.get_initial_state(each.memory)
            states.extend(state[name] for name in attention.state_names)
        return states

    def recurrent_state_sizes(self, value_lengths):
        """Widths of all recurrent states, a flat list, for memories of these lengths."""
        sizes = self.cell_state_size
        if self.order == "after":
            sizes.append(self.context_dim)
        for attention, length in zip(self.attentions, value_lengths, strict=True):
            sizes.extend(length for _ in attention.state_names)
        return sizes

    @property
    def recurrent_state_size(self):
        """Widths of all recurrent states, a flat list; `None` for the length of a memory."""
        return self.recurrent_state_sizes([None] * self.count)

    @property
    def recurrent_state_dtypes(self):
        """Dtypes of all recurrent states, a flat list."""
        dtypes = [self.compute_dtype] * (len(self.cell_state_size) + (self.order == "after"))
        for attention in self.attentions:
            dtypes.extend(attention.state_dtype for _ in attention.state_names)
        return dtypes

    @property
    def cell_state_size(self):
        """Widths of the cell's states, a flat list."""
        return list(tree.flatten(self.cell.state_size))

    @property
    def state_size(self):
        lengths = [None] * self.count
        keys_dims = [attention.keys_dim for attention in self.attentions]
        return [*self.recurrent_state_size, *(self.value_dims or lengths), *keys_dims, *lengths]

    # Parts and widths.

    @property
    def attentions(self):
        """The attention layers, a list also where there is one."""
        return one_for_each(self.attention, 1)

    @property
    def attention_layers(self):
        """For each attention its `attention_layer`, or `None`."""
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
    def output_size(self):
        sizes = {"cell": self.units, "attention": self.context_dim}
        return sizes.get(self.output_choice, self.units + (self.context_dim or 0))

    @property
    def query_dim(self):
        """Width of the query."""
        if self.order == "before":
            return self.cell_state_size[self.query_index]
        return self.units

    @property
    def query_index(self):
        """Index of the query among the cell's states, with `order="before"`."""
        # The first state of the top cell: h of a GRU or LSTM.
        sizes = self.cell.state_size
        top = sizes[-1] if hasattr(self.cell, "cells") else sizes
        return len(tree.flatten(sizes)) - len(tree.flatten(top))

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


def deserialized_parts(config):
    """The config of a cell or layer, with its parts deserialized."""
    return {
        name: keras.saving.deserialize_keras_object(value) if name in PARTS else value
        for name, value in config.items()
    }


def one_for_each(given, count):
    """A list of length `count`: the given list, or the given object repeated."""
    if isinstance(given, (list, tuple)):
        return list(given)
    return [given] * count


def check_count(name, given, count):
    """Raises ValueError unless a list has one element for each of `count` attention layers."""
    if len(given) != count:
        raise ValueError(
            f"Expected `{name}` to be one, or a list of one for each of {count} attention "
            f"layers. Received: a list of {len(given)}"
        )


def _shape_for_each(shape, count):
    """As `one_for_each`, for the shape of a memory or a list of such shapes."""
    if not (len(shape) and isinstance(shape[0], (list, tuple))):
        return [tuple(shape)] * count
    check_count("memory", shape, count)
    return [tuple(each) for each in shape]


def _build(layer, *shapes):
    if not layer.built:
        layer.build(*shapes)
