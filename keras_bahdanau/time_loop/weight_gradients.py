"""Weight gradients of a loop over time, accumulated in one product after the loop.

The gradient of a kernel W by which every step multiplies, y_t = x_t W, is a sum over all steps,
dW = sum_t x_t^T dy_t: at each step a thin product as large as W, and an addition. It equals one
product, X^T dY, of the inputs of all steps with the gradients of all their outputs, which costs a
fraction of that.

To get it, each step computes y_t = x_t W + o_t, where the offset o_t (the bias, or zero) is a slice
of a tensor from outside the loop. By the chain rule the gradient of all offsets is dY. The loop
returns X, the inputs of all steps, and the custom gradient of the offsets with respect to W is
X^T dY. The memory that an attention reads at every step, a matrix for each sentence, gets its
gradient the same way.

A step multiplies with the function `matmul` that the loop passes to it: `backend.numerics.matmul`,
or `deferring_matmul` where a loop defers gradients.
"""

from typing import Any, NamedTuple

import keras
from keras import ops

from keras_bahdanau.backend.numerics import matmul, with_gradient


class Kernel(NamedTuple):
    """A kernel that steps multiply by: `matmul(inputs, kernel, bias)`.

    Attributes:
        kernel: variable of shape `(n, m)`.
        bias: tensor of shape `(m,)`, or `None`.
        dtype: dtype of the product.
    """

    kernel: Any
    bias: Any
    dtype: str


def deferring_matmul(deferred):
    """`matmul` for one step of a loop that defers the gradients of some factors.

    Args:
        deferred: list of `DeferredGradient`, each after its `begin_step`.
    """

    def multiply(inputs, factor, bias=None):
        for each in deferred:
            # A second product of the same step has no offset: the loop makes its gradient.
            if each.factor is factor and each.step_inputs is None:
                return each.matmul(inputs)
        return matmul(inputs, factor, bias)

    return multiply


class DeferredGradient:
    """The gradient of one factor in one loop.

    Attributes:
        factor: what the step calls `matmul` with.
        offsets: tensor of shape `(packed_length, m)`, those of all steps.
        step_inputs: tensor of shape `(rows, n)`, what this step has multiplied; else `None`.
        inputs: tensor of shape `(packed_length, n)`, those of all steps: to be set after the loop.
    """

    def __init__(self, value, input_dim, offsets, gradients, *sources):
        """
        Args:
            value: tensor of shape `(n, m)`, or `None` for the `factor` of each step.
            input_dim: n.
            offsets: function of `sources` that returns the offsets.
            gradients: function of all inputs and of the gradient of all products, which returns
                those of `sources`.
            *sources: tensors.
        """
        self.factor = self.inputs = self.step_inputs = self._offset = None
        self._value, self._input_dim = value, input_dim
        # Transposed once for all steps: float32 products of few rows with a matrix in the other
        # memory layout take up to twice as long.
        self._transposed = None if value is None else ops.stop_gradient(ops.transpose(value))
        self.offsets = with_gradient(
            lambda *sources: (offsets(*sources), lambda upstream: gradients(self.inputs, upstream)),
            *sources,
        )

    def begin_step(self, factor, offset):
        """Takes the step's factor and its slice of the offsets, of shape `(rows, m)`."""
        self.factor, self._offset, self.step_inputs = factor, offset, None

    def matmul(self, inputs):
        self.step_inputs = inputs
        value = ops.stop_gradient(self.factor if self._value is None else self._value)

        def added(inputs, offset):
            def gradients(upstream):
                transposed = self._transposed
                if transposed is None:
                    transposed = ops.swapaxes(value, -1, -2)
                return [matmul(upstream, transposed), upstream]

            return matmul(inputs, value) + offset, gradients

        return with_gradient(added, inputs, self._offset)

    def end_step(self):
        """The step's inputs, of shape `(rows, n)`: zeros if it has not multiplied."""
        if self.step_inputs is None:
            rows = ops.shape(self._offset)[0]
            return ops.zeros((rows, self._input_dim), self._offset.dtype)
        return ops.stop_gradient(ops.cast(self.step_inputs, self._offset.dtype))


def deferred_kernel(kernel, packed):
    """`DeferredGradient` of a `Kernel` in a loop over a `PackedSequence`."""
    value = ops.cast(kernel.kernel, kernel.dtype)
    input_dim, output_dim = value.shape
    bias = ops.zeros((output_dim,)) if kernel.bias is None else kernel.bias
    bias = ops.cast(bias, keras.backend.result_type(kernel.dtype, "float32"))

    def offsets(value, bias):
        return ops.broadcast_to(ops.cast(bias, value.dtype), (packed.length, output_dim))

    def gradients(inputs, upstream):
        # In half precision a sum of so many numbers would stop growing.
        of_bias = ops.sum(ops.cast(upstream, bias.dtype), axis=0)
        return [ops.matmul(ops.transpose(inputs), upstream), of_bias]

    return DeferredGradient(value, input_dim, offsets, gradients, value, bias)


def deferred_matrices(matrices, packed):
    """`DeferredGradient` of a tensor of shape `(batch_size, n, m)`, likewise."""

    def offsets(matrices):
        return ops.zeros((packed.length, matrices.shape[2]), matrices.dtype)

    def gradients(inputs, upstream):
        inputs = ops.swapaxes(packed.unpack(inputs), 1, 2)
        return [ops.matmul(inputs, packed.unpack(upstream))]

    return DeferredGradient(None, ops.shape(matrices)[1], offsets, gradients, matrices)
