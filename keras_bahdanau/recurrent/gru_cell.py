"""A GRU cell that costs less to train."""

import keras
from keras import ops

from keras_bahdanau.backend.indexing import split
from keras_bahdanau.time_loop.weight_gradients import Kernel, product


@keras.saving.register_keras_serializable(package="keras_bahdanau")
class GRUCell(keras.layers.GRUCell):
    """`keras.layers.GRUCell` with the same weights, results and arguments, and cheaper gradients.

    Keras cuts the gates out of one product by slices. The gradient of each slice is a tensor of
    the whole width filled with zeros; here one split gives all gates, and its gradient is one
    concatenation. What is multiplied may be of half precision (dtype policy `"mixed_bfloat16"`);
    gates and states are computed in float32 then.

    With `reset_after=False` or without bias it is Keras's own.

    Reference: Cho et al. 2014, https://arxiv.org/abs/1406.1078; `reset_after` as in
    https://docs.nvidia.com/deeplearning/cudnn (the reset gate after the product).
    """

    def call(self, inputs, states, training=False):
        if not self.projects_inputs:
            return super().call(inputs, states, training=training)
        if training and self.dropout:
            inputs = inputs * self.get_dropout_mask(inputs)
        return self.advance(self.project_inputs(inputs), states)

    @property
    def projects_inputs(self):
        """Whether `call` is `project_inputs`, then `advance`."""
        return self.reset_after and self.use_bias and self.implementation == 2

    def project_inputs(self, inputs):
        """What a step takes of its input, and does not depend on the state.

        Args:
            inputs: tensor of shape `(..., input_dim)`, also of all steps of a sequence at once.

        Returns: tensor of shape `(..., 3 * units)`.
        """
        return _wide(product(inputs, self.kernel, self._biases()[0]))

    def advance(self, from_input, states):
        """One step, from what `project_inputs` made of its input: see `call`."""
        previous = states[0] if isinstance(states, (list, tuple)) else states
        from_state = _wide(product(previous, self.recurrent_kernel, self._biases()[1]))
        units = self.units
        input_gates, input_candidate = split(from_input, [2 * units, units])
        state_gates, state_candidate = split(from_state, [2 * units, units])
        gates = self.recurrent_activation(input_gates + state_gates)
        update, reset = split(gates, [units, units])
        candidate = self.activation(input_candidate + reset * state_candidate)
        new = ops.cast(candidate + update * (_wide(previous) - candidate), previous.dtype)
        return new, [new] if isinstance(states, (list, tuple)) else new

    @property
    def product_factors(self):
        """What `call` multiplies by, for `scan`."""
        if not self.projects_inputs:
            return []
        kernels = zip((self.kernel, self.recurrent_kernel), self._biases(), strict=True)
        return [Kernel(*each, self.compute_dtype) for each in kernels]

    def _biases(self):
        return ops.unstack(ops.convert_to_tensor(self.bias))


def _wide(tensor):
    half = keras.backend.standardize_dtype(tensor.dtype) in ("float16", "bfloat16")
    return ops.cast(tensor, "float32") if half else tensor
