"""Products in a loop over time whose factors get their gradients after it.

What every step multiplies by, a kernel or the memory, has a gradient that is a sum over all steps:
at each a thin product as large as the kernel, and all of them added up. It equals one product, of
all steps' inputs with all steps' gradients, which costs a fraction of that.

So each step adds to its product its part of a tensor from outside the loop, the offsets. By the
chain rule their gradient is that of all steps' products, and with the inputs, which the loop hands
out, their custom gradient is the one product.
"""

import contextlib
import contextvars
from typing import Any, NamedTuple

import keras
from keras import ops

from keras_bahdanau.backend.custom_gradient import with_gradient

_ACTIVE = contextvars.ContextVar("active")


def product(inputs, factor, bias=None):
    """`inputs @ factor + bias`, whose gradients by factor and bias a loop can defer.

    Args:
        inputs: tensor of shape `(..., n)`.
        factor: variable of shape `(n, m)`, or a tensor of shape `(batch_size, n, m)` with a matrix
            for each row of `inputs`, whose shape is `(batch_size, n)` then.
        bias: tensor of shape `(m,)`, or `None`.

    Returns:
        Tensor of shape `(..., m)`.
    """
    deferred = _ACTIVE.get({}).get(id(factor))
    # A second product of the same step has no place in the one after the loop.
    if deferred is not None and deferred.inputs_of_step is None:
        return deferred.product(inputs, factor)
    outputs = _multiplied(inputs, factor)
    return outputs if bias is None else outputs + bias


class Kernel(NamedTuple):
    """What steps call `product` with.

    Attributes:
        kernel: variable of shape `(n, m)`.
        bias: tensor of shape `(m,)`, or `None`.
        dtype: dtype of the product.
    """

    kernel: Any
    bias: Any
    dtype: str


class Deferred:
    """A factor during one loop, whose gradient is made after the loop.

    Attributes:
        offsets: tensor of shape `(places, m)` of all steps together.
        inputs_of_step: tensor of shape `(rows, n)`, what this step has multiplied; else `None`.
        inputs: tensor of shape `(places, n)`, what all steps have: to be set after the loop.
    """

    def __init__(self, value, input_dim, offsets, gradients, *sources):
        """
        Args:
            value: tensor of shape `(n, m)`, or `None` for what `product` is called with.
            input_dim: n.
            offsets: function of `sources` that returns the offsets.
            gradients: function of all inputs and of the gradient of all products, which returns
                those of `sources`.
            *sources: tensors.
        """
        self.inputs = self.inputs_of_step = self._offset = None
        self._value, self._input_dim = value, input_dim
        # Once for all steps: float32 products of few rows with a matrix that lies the other way
        # take up to twice as long.
        self._transposed = None if value is None else ops.stop_gradient(ops.transpose(value))
        self.offsets = with_gradient(
            lambda *sources: (offsets(*sources), lambda upstream: gradients(self.inputs, upstream)),
            *sources,
        )

    def begin_step(self, offset):
        """Takes the step's part of the offsets, a tensor of shape `(rows, m)`."""
        self.inputs_of_step, self._offset = None, offset

    def product(self, inputs, factor):
        self.inputs_of_step = inputs
        value = ops.stop_gradient(factor if self._value is None else self._value)

        def added(inputs, offset):
            def gradients(upstream):
                transposed = self._transposed
                if transposed is None:
                    transposed = ops.swapaxes(value, -1, -2)
                return [_multiplied(upstream, transposed), upstream]

            return _multiplied(inputs, value) + offset, gradients

        return with_gradient(added, inputs, self._offset)

    def end_step(self):
        """The step's part of the inputs, a tensor of shape `(rows, n)`: zeros for no product."""
        if self.inputs_of_step is None:
            rows = ops.shape(self._offset)[0]
            return ops.zeros((rows, self._input_dim), self._offset.dtype)
        return ops.stop_gradient(ops.cast(self.inputs_of_step, self._offset.dtype))


def deferred_kernel(kernel, packed):
    """`Deferred` of a `Kernel`, in a loop over the steps of `PackedSequence`."""
    value = ops.cast(kernel.kernel, kernel.dtype)
    input_dim, output_dim = value.shape
    bias = ops.zeros((output_dim,)) if kernel.bias is None else kernel.bias
    bias = ops.cast(bias, keras.backend.result_type(kernel.dtype, "float32"))

    def offsets(value, bias):
        return ops.broadcast_to(ops.cast(bias, value.dtype), (ops.sum(packed.places), output_dim))

    def gradients(inputs, upstream):
        # In half precision a sum of so many numbers would stop growing.
        of_bias = ops.sum(ops.cast(upstream, bias.dtype), axis=0)
        return [ops.matmul(ops.transpose(inputs), upstream), of_bias]

    return Deferred(value, input_dim, offsets, gradients, value, bias)


def deferred_matrices(matrices, packed):
    """`Deferred` of a tensor of shape `(batch_size, n, m)`, in a loop over `PackedSequence`."""

    def offsets(matrices):
        return ops.zeros((ops.sum(packed.places), matrices.shape[2]), matrices.dtype)

    def gradients(inputs, upstream):
        inputs = ops.swapaxes(packed.unpack(inputs), 1, 2)
        return [ops.matmul(inputs, packed.unpack(upstream))]

    return Deferred(None, ops.shape(matrices)[1], offsets, gradients, matrices)


@contextlib.contextmanager
def deferring(factors):
    """While it lasts, `product` defers: `factors` is a dict of `Deferred` by their factors' id."""
    token = _ACTIVE.set(factors)
    try:
        yield
    finally:
        _ACTIVE.reset(token)


def _multiplied(inputs, factor):
    if isinstance(factor, keras.Variable):
        factor = ops.cast(factor, inputs.dtype)
    if len(factor.shape) == 2:
        return ops.matmul(inputs, factor)
    return ops.squeeze(ops.matmul(ops.expand_dims(inputs, 1), factor), 1)
