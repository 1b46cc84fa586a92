"""A GRU cell that costs less to train."""

import keras
from keras import ops

from keras_bahdanau.lean_ops import parts_of


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
        if not (self.reset_after and self.use_bias and self.implementation == 2):
            return super().call(inputs, states, training=training)
        previous = states[0] if isinstance(states, (list, tuple)) else states
        if training and self.dropout:
            inputs = inputs * self.get_dropout_mask(inputs)
        input_bias, recurrent_bias = ops.unstack(ops.convert_to_tensor(self.bias))
        from_input = _wide(ops.matmul(inputs, self.kernel) + input_bias)
        from_state = _wide(ops.matmul(previous, self.recurrent_kernel) + recurrent_bias)
        units = self.units
        input_gates, input_candidate = parts_of(from_input, [2 * units, units])
        state_gates, state_candidate = parts_of(from_state, [2 * units, units])
        gates = self.recurrent_activation(input_gates + state_gates)
        update, reset = parts_of(gates, [units, units])
        candidate = self.activation(input_candidate + reset * state_candidate)
        new = ops.cast(candidate + update * (_wide(previous) - candidate), previous.dtype)
        return new, [new] if isinstance(states, (list, tuple)) else new


def _wide(tensor):
    half = keras.backend.standardize_dtype(tensor.dtype) in ("float16", "bfloat16")
    return ops.cast(tensor, "float32") if half else tensor
