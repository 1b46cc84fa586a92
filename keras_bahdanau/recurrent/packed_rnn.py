"""A recurrent layer that skips padding."""

import keras
from keras import ops, tree

from keras_bahdanau.recurrent.dropout_masks import has_dropout_masks
from keras_bahdanau.recurrent.gru_cell import call_cell, kernels_of
from keras_bahdanau.time_loop.scan import scan


@keras.saving.register_keras_serializable(package="keras_bahdanau")
class SkippingRNN(keras.layers.RNN):
    """`keras.layers.RNN` that skips the padding of a batch, with the same weights and states.

    Called with a mask and `return_sequences=True`, it skips time steps whose mask is False: their
    outputs are zero and the states stay as they are. On TensorFlow and PyTorch they cost no
    computation, unless the cell has dropout of its own and trains; XLA cannot compile this. In all
    other cases it is Keras's own layer.

    Args:
        cell: a Keras cell, or a list of cells to stack.
        return_sequences: whether to return the outputs of all time steps.
        return_state: whether to return the last states too.
        go_backwards: whether to process the sequence from its end.
        stateful: whether the last states are the initial states of the next batch.
        unroll: whether to unroll the loop; without effect where padding is skipped.
        zero_output_for_mask: always True.
        **kwargs: `name`, `dtype`, `trainable`: see `keras.layers.Layer`.

    Call arguments: those of `keras.layers.RNN`.

    Raises:
        ValueError: `zero_output_for_mask=False`.
    """

    def __init__(
        self,
        cell,
        return_sequences=False,
        return_state=False,
        go_backwards=False,
        stateful=False,
        unroll=False,
        zero_output_for_mask=True,
        **kwargs,
    ):
        if not zero_output_for_mask:
            raise ValueError(
                "Argument `zero_output_for_mask` must be True: skipped time steps have no output. "
                f"Received: zero_output_for_mask={zero_output_for_mask}"
            )
        super().__init__(
            cell,
            return_sequences=return_sequences,
            return_state=return_state,
            go_backwards=go_backwards,
            stateful=stateful,
            unroll=unroll,
            zero_output_for_mask=True,
            **kwargs,
        )
        self.supports_jit = keras.backend.backend() == "jax"

    def inner_loop(self, sequences, initial_state, mask, training=False):
        states = initial_state if isinstance(initial_state, (list, tuple)) else [initial_state]
        if (
            mask is None
            or not self.return_sequences
            or keras.backend.backend() == "jax"
            or (training and has_dropout_masks(self.cell))
        ):
            return super().inner_loop(sequences, states, mask, training)

        def step(inputs, states, constants, matmul):
            packed = tree.pack_sequence_as(initial_state, states)
            output, new_states = call_cell(self.cell, inputs, packed, training, matmul)
            return output, tree.flatten(new_states)

        if self.go_backwards:
            sequences, mask = ops.flip(sequences, axis=1), ops.flip(mask, axis=1)
        outputs, last = scan(
            step,
            sequences,
            tree.flatten(states),
            mask=mask,
            pack=True,
            factors=kernels_of([self.cell]) if training else (),
        )
        return outputs[:, -1], outputs, tree.pack_sequence_as(states, last)
