"""A recurrent layer that attends to memories at each time step."""

import keras
from keras import ops, tree

from keras_bahdanau.layers.arguments import (
    check_attention_shapes,
    check_keys_shape,
    check_mask,
    same_size,
)
from keras_bahdanau.recurrent.attention_cell import (
    PARTS,
    AttentionCell,
    check_count,
    deserialized_parts,
    one_for_each,
)
from keras_bahdanau.recurrent.attention_step import attention_step, split_states
from keras_bahdanau.recurrent.dropout_masks import (
    fix_dropout_masks,
    has_dropout_masks,
    release_dropout_masks,
)
from keras_bahdanau.recurrent.gru_cell import kernels_of
from keras_bahdanau.time_loop.scan import scan


@keras.saving.register_keras_serializable(package="keras_bahdanau")
class AttentionRNN(keras.layers.Layer):
    """Runs any Keras cell over a sequence, with attention to a memory at each time step.

    A call with a whole sequence (teacher forcing) and calls with one time step each (generation)
    compute the same, if each call gets the states that the last one returned. No state is kept on
    the layer, so a long sequence can also be processed in parts.

    In training, the backward pass recomputes the tanh of shape `(batch_size, source_length,
    attention_units)` of each step instead of storing it.

    Args:
        cell: a Keras cell: `GRUCell`, `LSTMCell`, `StackedRNNCells`, or your own cell with
            `state_size`.
        attention: an attention layer of this package, or a list of them. In training, its
            `dropout` drops attention weights, with a new mask at each time step; its
            `position_dropout` drops whole memory positions, with one mask of shape
            `(batch_size, source_length, 1)` for all time steps of a sequence (variational dropout:
            Gal and Ghahramani 2016, https://arxiv.org/abs/1512.05287).
        order: `"before"` (the paper's: the previous state is the query), `"after"` (the cell's
            output is the query, the context is an input of the next step) or `"between"` (the
            conditional GRU). See `AttentionCell`, also for the next three.
        second_cell: the second transition, with `order="between"`.
        attention_layer: a layer, or a list of one for each attention, that computes an attention
            vector from `[query; context]`, used instead of the context.
        input_layer: a layer that computes the cell's input from the list `[inputs, context]`.
        skip_padding: whether time steps where `inputs_mask` is False are skipped: all their outputs
            are zero, and the states stay as they are. On TensorFlow and PyTorch these steps cost
            no computation, unless the cell has dropout of its own and trains; XLA cannot compile
            this.
        **kwargs: `name`, `dtype`, `trainable`: see `keras.layers.Layer`.

    Call arguments:
        inputs: tensor of shape `(batch_size, target_length, input_dim)`, or
            `(batch_size, input_dim)` for one step. Its Keras mask is passed on to `outputs` and
            `contexts`, and is `inputs_mask` unless that is given. Without `skip_padding`, the
            final states are those after the padding.
        memory: tensor of shape `(batch_size, source_length, value_dim)`. For several attentions a
            list of one for each, or one for all of them; the next two likewise.
        memory_mask: bool tensor of shape `(batch_size, source_length)`, True = keep, or `None`.
        keys: what `project_keys(memory)` returned, or `None` to project now.
        initial_state: flat list of the states that the last call returned, or of the cell's states
            alone (from an encoder), or `None` for zeros.
        training: whether dropout and noise are applied.
        inputs_mask: bool tensor of shape `(batch_size, target_length)`, True = keep, or `None`:
            the time steps that count in the losses of an attention, and that `skip_padding` keeps.

    Returns:
        `(outputs, contexts, attention_scores, states)` of shapes
        `(batch_size, target_length, units)`, `(batch_size, target_length, context_dim)` and
        `(batch_size, target_length, source_length)` (each without `target_length` for one step;
        for several attentions contexts are concatenated and attention scores are a list), and the
        list of final states: those of the cell from the lowest layer up, then, with
        `order="after"`, the last context, then those of attention layers that have a state.

    Example:

    >>> decoder = AttentionRNN(keras.layers.GRUCell(256), BahdanauAttention(128))
    >>> memory = keras.random.normal((8, 20, 512))
    >>> outputs, contexts, weights, states = decoder(keras.random.normal((8, 7, 64)), memory)
    >>> outputs.shape, contexts.shape, weights.shape
    ((8, 7, 256), (8, 7, 512), (8, 7, 20))

    Raises:
        ValueError: shapes, masks or states that do not fit together.

    References: Bahdanau et al. 2015, https://arxiv.org/abs/1409.0473, appendix A.2.2;
    Luong et al. 2015, https://arxiv.org/abs/1508.04025, section 3.3 (input feeding).
    """

    def __init__(
        self,
        cell,
        attention,
        order="before",
        second_cell=None,
        attention_layer=None,
        input_layer=None,
        skip_padding=False,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.skip_padding = skip_padding
        self.attention_cell = AttentionCell(
            cell,
            attention,
            order=order,
            second_cell=second_cell,
            attention_layer=attention_layer,
            input_layer=input_layer,
            name="attention_cell",
            dtype=self.dtype_policy,
        )
        self.supports_masking = True
        self.supports_jit = not skip_padding or keras.backend.backend() == "jax"

    @property
    def cell(self):
        return self.attention_cell.cell

    @property
    def attention(self):
        return self.attention_cell.attention

    @property
    def order(self):
        return self.attention_cell.order

    def build(self, inputs_shape, memory_shape):
        self.attention_cell.build((inputs_shape[0], inputs_shape[-1]), memory_shape)
        self.built = True

    def project_keys(self, memory):
        """Projects memories once for many calls.

        Args:
            memory: tensor of shape `(batch_size, source_length, value_dim)`, or a list of one for
                each attention.

        Returns:
            Tensor of shape `(batch_size, source_length, keys_dim)`, or a list of them.
        """
        keys = [each.keys for each in self.attention_cell.attend_to(memory)]
        return keys if self._several else keys[0]

    def get_initial_state(self, memory):
        """The recurrent states before the first step: a flat list of tensors.

        Args:
            memory: tensor of shape `(batch_size, source_length, value_dim)`, or a list of one for
                each attention.
        """
        cell = self.attention_cell
        return cell.recurrent_states(cell.attend_to(memory))

    def split_states(self, states):
        """Splits the states that a call returned by what they belong to.

        Returns:
            `(cell_states, context, attention_states)`: a list of tensors; the last context with
            `order="after"`, else `None`; a list of one dict of tensors for each attention.
        """
        return split_states(self.attention_cell, states)

    @property
    def _several(self):
        return isinstance(self.attention, (list, tuple))

    def call(
        self,
        inputs,
        memory,
        memory_mask=None,
        keys=None,
        initial_state=None,
        training=None,
        inputs_mask=None,
    ):
        cell = self.attention_cell
        _check_call(cell, inputs, memory, memory_mask, keys, initial_state, inputs_mask)
        attended = cell.attend_to(memory, memory_mask, keys)
        states = cell.recurrent_states(attended, initial_state)
        attended = [
            each._replace(memory=attention.drop_positions(each.memory, training))
            for attention, each in zip(cell.attentions, attended, strict=True)
        ]
        one_step = len(inputs.shape) == 2
        if one_step and not training:
            return self._step(inputs, states, attended)
        sequence = ops.expand_dims(inputs, 1) if one_step else inputs
        try:
            if training:
                fix_dropout_masks(cell, sequence)
            mask = inputs_mask if self.skip_padding and not one_step else None
            outputs, states = attention_loop(cell, sequence, states, attended, mask, training)
        finally:
            release_dropout_masks(cell)
        lengths = [ops.shape(each.memory)[1] for each in attended]
        output, context, weights = cell.split_outputs(outputs, lengths)
        if training and not one_step:
            for attention, each in zip(
                cell.attentions, weights if self._several else [weights], strict=True
            ):
                attention.add_losses(each, inputs_mask)
        if one_step:
            output, context = output[:, 0], context[:, 0]
            weights = [each[:, 0] for each in weights] if self._several else weights[:, 0]
        return output, context, weights, states

    def _step(self, inputs, states, attended):
        output, context, weights, new_states = attention_step(
            self.attention_cell, inputs, states, attended, training=False
        )
        # Cell and attentions may be of other dtypes than this layer.
        output, context, *weights = (
            ops.cast(each, self.compute_dtype) for each in (output, context, *weights)
        )
        states = [ops.cast(new, old.dtype) for new, old in zip(new_states, states, strict=True)]
        return output, context, weights if self._several else weights[0], states

    def compute_mask(self, inputs, previous_mask=None):
        return previous_mask, previous_mask

    def compute_output_spec(
        self,
        inputs,
        memory,
        memory_mask=None,
        keys=None,
        initial_state=None,
        training=None,
        inputs_mask=None,
    ):
        cell, leading = self.attention_cell, tuple(inputs.shape[:-1])
        _check_call(cell, inputs, memory, memory_mask, keys, initial_state, inputs_mask)

        def spec(*shape, dtype=self.compute_dtype):
            return keras.KerasTensor(shape, dtype=dtype)

        lengths = [each.shape[1] for each in one_for_each(memory, cell.count)]
        weights = [spec(*leading, length) for length in lengths]
        states = zip(cell.recurrent_state_sizes(lengths), cell.recurrent_state_dtypes, strict=True)
        return (
            spec(*leading, cell.units),
            spec(*leading, cell.context_dim),
            weights if self._several else weights[0],
            [spec(inputs.shape[0], size, dtype=dtype) for size, dtype in states],
        )

    def get_config(self):
        cell_config = self.attention_cell.get_config()
        return {
            **super().get_config(),
            **{name: cell_config[name] for name in ("order", *PARTS)},
            "skip_padding": self.skip_padding,
        }

    @classmethod
    def from_config(cls, config):
        return cls(**deserialized_parts(config))


def attention_loop(cell, sequence, states, attended, mask=None, training=None):
    """Attends and advances at each element of a sequence.

    Args:
        cell: a built `AttentionCell`.
        sequence: tensor of shape `(batch_size, target_length, input_dim)`.
        states: list of the recurrent states.
        attended: list of `Attended`, one for each attention.
        mask: bool tensor of shape `(batch_size, target_length)`, False where a step is skipped, or
            `None`.
        training: whether this is training.

    Returns:
        `(outputs, states)`: the cell's output, the context and the weights of each attention side
        by side, of shape `(batch_size, target_length, ...)` (`AttentionCell.split_outputs` takes
        them apart), and the last states.
    """
    batch_size, target_length = ops.shape(sequence)[:2]
    draws = []
    for attention, each in zip(cell.attentions, attended, strict=True):
        shape = (batch_size, target_length, ops.shape(each.memory)[1])
        noise = attention.draw_noise(*shape, training)
        draws.append((noise, attention.draw_dropout_mask(*shape, training)))

    def step(inputs, states, attended, matmul):
        inputs, draws = inputs
        output, context, weights, states = attention_step(
            cell, inputs, states, attended, training, draws, matmul
        )
        return ops.concatenate([output, context, *weights], axis=-1), states

    # Cells keep their dropout masks for all rows in their order.
    pack = not (training and any(map(has_dropout_masks, cell.transitions)))
    factors = []
    if training:
        factors = [
            *kernels_of(cell.transitions),
            *(kernel for attention in cell.attentions for kernel in attention.kernels),
            *(each.memory for each in attended),
        ]
    return scan(step, [sequence, draws], states, attended, mask, pack, factors)


def _check_call(cell, inputs, memory, memory_mask, keys, initial_state, inputs_mask):
    """Raises ValueError unless the arguments of a call fit together."""
    if len(inputs.shape) not in (2, 3):
        raise ValueError(
            "Expected `inputs` of shape (batch_size, input_dim) or "
            "(batch_size, target_length, input_dim). "
            f"Received: inputs.shape={tuple(inputs.shape)}"
        )
    check_mask("inputs_mask", inputs_mask, inputs.shape[:-1])
    given = {"memory": memory, "memory_mask": memory_mask, "keys": keys}
    given = {name: one_for_each(each, cell.count) for name, each in given.items()}
    for name, each in given.items():
        check_count(name, each, cell.count)
    for attention, memory, mask, keys in zip(cell.attentions, *given.values(), strict=True):
        check_attention_shapes(inputs.shape, memory.shape)
        check_mask("memory_mask", mask, memory.shape[:-1])
        if keys is not None:
            check_keys_shape(keys.shape, memory.shape, attention.keys_dim)
    if initial_state is not None:
        lengths = [memory.shape[1] for memory in given["memory"]]
        _check_initial_state(cell, initial_state, lengths)


def _check_initial_state(cell, initial_state, value_lengths):
    """Raises ValueError unless it is the cell's states or all recurrent states."""
    received = [state.shape[-1] for state in tree.flatten(initial_state)]
    expected = [cell.recurrent_state_sizes(value_lengths)]
    if cell.cell_state_size not in expected:
        expected.append(cell.cell_state_size)
    if not any(
        len(received) == len(sizes) and all(map(same_size, received, sizes)) for sizes in expected
    ):
        raise ValueError(
            "Expected `initial_state` to be a list of states of widths "
            f"{' or '.join(map(str, expected))}. Received: widths {received}"
        )
