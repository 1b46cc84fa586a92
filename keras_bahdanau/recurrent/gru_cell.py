"""GRU cell with cheaper gradients."""

import keras
from keras import ops

from keras_bahdanau.backend.indexing import split
from keras_bahdanau.backend.numerics import float32_at_least, matmul
from keras_bahdanau.time_loop.weight_gradients import Kernel


@keras.saving.register_keras_serializable(package="keras_bahdanau")
class GRUCell(keras.layers.GRUCell):
    """`keras.layers.GRUCell` with the same weights, results and arguments, and cheaper gradients.

    Keras cuts the gates out of one product by slices. The gradient of each slice is a tensor of
    the whole width filled with zeros; here one split gives all gates, and its gradient is one
    concatenation. Products may be in half precision (dtype policy `"mixed_bfloat16"`);
    gates and states are computed in float32 then.

    With `reset_after=False` or without bias it computes Keras's own step.

    Reference: Cho et al. 2014, https://arxiv.org/abs/1406.1078; `reset_after` as in
    https://docs.nvidia.com/deeplearning/cudnn (the reset gate after the product).
    """

    def call(self, inputs, states, training=False, matmul=matmul):
        if not self.projects_inputs:
            return super().call(inputs, states, training=training)
        if training and self.dropout:
            inputs = inputs * self.get_dropout_mask(inputs)
        return self.advance(self.project_inputs(inputs, matmul), states, matmul)

    @property
    def projects_inputs(self):
        """Whether `call` is `project_inputs`, then `advance`."""
        return self.reset_after and self.use_bias and self.implementation == 2

    def project_inputs(self, inputs, matmul=matmul):
        """The part of a step that does not depend on the state: W x_t + b.

        Args:
            inputs: tensor of shape `(..., input_dim)`, also of all steps of a sequence at once.
            matmul: what a `scan` passes to its steps.

        Returns:
            Tensor of shape `(..., 3 * units)`.
        """
        return float32_at_least(matmul(inputs, self.kernel, self._biases()[0]))

    def advance(self, from_input, states, matmul=matmul):
        """The rest of a step, from what `project_inputs` returned: see `call`."""
        previous = states[0] if isinstance(states, (list, tuple)) else states
        from_state = float32_at_least(matmul(previous, self.recurrent_kernel, self._biases()[1]))
        units = self.units
        input_gates, input_candidate = split(from_input, [2 * units, units])
        state_gates, state_candidate = split(from_state, [2 * units, units])
        gates = self.recurrent_activation(input_gates + state_gates)
        update, reset = split(gates, [units, units])
        candidate = self.activation(input_candidate + reset * state_candidate)
        new = ops.cast(
            candidate + update * (float32_at_least(previous) - candidate), previous.dtype
        )
        return new, [new] if isinstance(states, (list, tuple)) else new

    @property
    def kernels(self):
        """The kernels of `call`, whose gradients `scan` accumulates after the loop."""
        if not self.projects_inputs:
            return []
        kernels = zip((self.kernel, self.recurrent_kernel), self._biases(), strict=True)
        return [Kernel(*each, self.compute_dtype) for each in kernels]

    def _biases(self):
        return ops.unstack(ops.convert_to_tensor(self.bias))


def call_cell(cell, inputs, states, training, matmul):
    """Calls any Keras cell; a `GRUCell`, or a stack of them, multiplies with `matmul`."""
    if _takes_matmul(cell):
        return cell(inputs, states, training=training, matmul=matmul)
    return cell(inputs, states, training=training)


def kernels_of(cells):
    """The kernels of all `GRUCell`s, as far as `call_cell` passes `matmul` to them."""
    inner = [each for cell in cells if _takes_matmul(cell) for each in inner_cells(cell)]
    return [kernel for cell in inner for kernel in cell.kernels]


def _takes_matmul(cell):
    return all(isinstance(inner, GRUCell) for inner in inner_cells(cell))


def inner_cells(cell):
    """The cells of a `keras.layers.StackedRNNCells`, or the cell itself, in a list."""
    return getattr(cell, "cells", [cell])
