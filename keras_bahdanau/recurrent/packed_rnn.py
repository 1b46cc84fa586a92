"""A recurrent layer that computes nothing for padding."""

import keras
from keras import ops, tree

from keras_bahdanau.recurrent.dropout_masks import has_dropout_masks
from keras_bahdanau.recurrent.gru_cell import call_cell, kernels_of
from keras_bahdanau.time_loop.scan import scan


@keras.saving.register_keras_serializable(package="keras_bahdanau")
class SkippingRNN(keras.layers.RNN):
    """`keras.layers.RNN` with the same arguments, weights and states, for padded batches.

    Where it is called with a mask and returns sequences, steps whose mask is False are skipped and
    their outputs are zero (`zero_output_for_mask=True` of Keras), and on TensorFlow and PyTorch
    they cost nothing, unless the cell has dropout of its own while it trains. XLA cannot compile
    that.
    """

    def __init__(self, cell, **kwargs):
        super().__init__(cell, **{**kwargs, "zero_output_for_mask": True})
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
