"""A recurrent layer that attends to a memory at each step."""

import keras
from keras import ops, tree

from keras_bahdanau.layers.arguments import (
    check_attention_shapes,
    check_keys_shape,
    check_mask,
)
from keras_bahdanau.recurrent.attention_cell import AttentionCell
from keras_bahdanau.recurrent.dropout_masks import fix_dropout_masks, release_dropout_masks


@keras.saving.register_keras_serializable(package="keras_bahdanau")
class AttentionRNN(keras.layers.Layer):
    """Runs any Keras cell over a sequence while an attention layer reads a memory.

    The whole sequence at once (teacher forcing) and one step at a time (generation) are the same
    computation: both call `AttentionCell` with the states of the step before. Nothing is kept on
    the layer between calls.

    Args:
        cell: a Keras cell: `GRUCell`, `LSTMCell`, `StackedRNNCells`, or one of your own with
            `state_size`.
        attention: a `BahdanauAttention` layer. Its dropout takes whole memory positions away for
            all steps of a sequence (variational dropout: Gal and Ghahramani 2016,
            https://arxiv.org/abs/1512.05287).
        order: `"before"` (the paper's: the previous state is the query) or `"after"` (the cell's
            output is the query, the context feeds the next step). See `AttentionCell`.
        **kwargs: `name`, `dtype`, `trainable`: see `keras.layers.Layer`.

    Call arguments:
        inputs: tensor of shape `(batch_size, target_length, input_dim)`, or
            `(batch_size, input_dim)` for one step. A Keras mask on it goes on to `outputs` and
            `contexts`; nothing is skipped, so the final states are those after the padding.
        memory: tensor of shape `(batch_size, source_length, value_dim)`.
        memory_mask: bool tensor of shape `(batch_size, source_length)`, True = keep, or `None`.
        keys: what `project_keys(memory)` returned, or `None` to project now.
        initial_state: flat list of tensors as the call before returned them, or `None` for zeros.
        training: whether dropout is applied.

    Returns:
        `(outputs, contexts, attention_scores, states)` of shapes
        `(batch_size, target_length, units)`, `(batch_size, target_length, value_dim)` and
        `(batch_size, target_length, source_length)` (each without `target_length` for one step),
        and the list of final states: those of the cell from the lowest layer up, then, with
        `order="after"`, the last context.

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

    def __init__(self, cell, attention, order="before", **kwargs):
        super().__init__(**kwargs)
        self.attention_cell = AttentionCell(
            cell, attention, order=order, name="attention_cell", dtype=self.dtype_policy
        )
        self.loop = keras.layers.RNN(
            self.attention_cell,
            return_sequences=True,
            return_state=True,
            name="loop",
            dtype=self.dtype_policy,
        )

        self.supports_masking = True

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
        step_shape = (inputs_shape[0], inputs_shape[-1])
        self.attention_cell.build(step_shape, memory_shape)
        self.loop.built = True
        self.built = True

    def project_keys(self, memory):
        """Keys of shape `(batch_size, source_length, attention_units)`, for many calls."""
        return self.attention.project_keys(memory)

    def get_initial_state(self, batch_size):
        """Zeros: a flat list of tensors of shape `(batch_size, units)`."""
        return [
            ops.zeros((batch_size, size), dtype=self.compute_dtype)
            for size in self.attention_cell.recurrent_state_size
        ]

    def call(
        self,
        inputs,
        memory,
        memory_mask=None,
        keys=None,
        initial_state=None,
        training=None,
    ):
        self._check_arguments(inputs, memory, memory_mask, keys, initial_state)
        if keys is None:
            keys = self.project_keys(memory)
        if memory_mask is None:
            memory_mask = ops.ones(ops.shape(memory)[:2], dtype="bool")
        if initial_state is None:
            initial_state = self.get_initial_state(ops.shape(memory)[0])
        if training and self.attention.dropout:
            memory = self._drop_positions(memory)
        states = [*initial_state, memory, keys, memory_mask]

        try:
            outputs, states = self._run(inputs, states, training)
        finally:
            release_dropout_masks(self.cell)
        output, context, weights = self.attention_cell.split_outputs(outputs)
        return output, context, weights, list(states[:-3])

    def _run(self, inputs, states, training):
        if len(inputs.shape) == 2:
            return self.attention_cell(inputs, states, training=training)
        if inputs.shape[1] == 1:
            outputs, states = self.attention_cell(inputs[:, 0], states, training=training)
            return ops.expand_dims(outputs, 1), states
        if training:
            fix_dropout_masks(self.cell, inputs, memory=states[-3])
        outputs, *states = self.loop(inputs, initial_state=states, training=training)
        return outputs, states

    def _drop_positions(self, memory):
        # Dropping the weight of a position from every context is dropping its value; one mask
        # serves all steps, so no random state is drawn inside the loop.
        kept = keras.random.dropout(
            ops.ones_like(memory[..., :1]),
            self.attention.dropout,
            seed=self.attention.seed_generator,
        )
        return memory * kept

    def _check_arguments(self, inputs, memory, memory_mask, keys, initial_state):
        if len(inputs.shape) not in (2, 3):
            raise ValueError(
                "Expected `inputs` of shape (batch_size, input_dim) or "
                "(batch_size, target_length, input_dim). "
                f"Received: inputs.shape={tuple(inputs.shape)}"
            )
        check_attention_shapes(inputs.shape, memory.shape)
        check_mask("memory_mask", memory_mask, memory.shape[:-1])
        if keys is not None:
            check_keys_shape(keys.shape, memory.shape, self.attention.units)
        if initial_state is None:
            return
        expected = self.attention_cell.recurrent_state_size
        received = [state.shape[-1] for state in tree.flatten(initial_state)]
        if received != expected:
            raise ValueError(
                f"Expected `initial_state` to be a list of states of widths {expected}. "
                f"Received: widths {received}"
            )

    def compute_mask(self, inputs, previous_mask=None):
        return previous_mask, previous_mask

    def compute_output_spec(
        self, inputs, memory, memory_mask=None, keys=None, initial_state=None, training=None
    ):
        self._check_arguments(inputs, memory, memory_mask, keys, initial_state)
        cell, leading = self.attention_cell, tuple(inputs.shape[:-1])

        def spec(*shape):
            return keras.KerasTensor(shape, dtype=self.compute_dtype)

        return (
            spec(*leading, cell.units),
            spec(*leading, memory.shape[-1]),
            spec(*leading, memory.shape[1]),
            [spec(inputs.shape[0], size) for size in cell.recurrent_state_size],
        )

    def get_config(self):
        cell_config = self.attention_cell.get_config()
        own = {name: cell_config[name] for name in ("cell", "attention", "order")}
        return {**super().get_config(), **own}

    @classmethod
    def from_config(cls, config):
        config = {
            **config,
            "cell": keras.saving.deserialize_keras_object(config["cell"]),
            "attention": keras.saving.deserialize_keras_object(config["attention"]),
        }
        return cls(**config)
