"""Numerics on every backend: products, float32 for half precision, custom gradients."""

import keras
from keras import ops


def matmul(inputs, factor, bias=None):
    """`inputs @ factor + bias` in the dtype of `inputs`.

    Args:
        inputs: tensor of shape `(..., n)`.
        factor: variable or tensor of shape `(n, m)`; or tensor of shape `(batch_size, n, m)`, one
            matrix for each row of `inputs`, whose shape is `(batch_size, n)` then.
        bias: tensor of shape `(m,)`, or `None`.

    Returns:
        Tensor of shape `(..., m)`.
    """
    if isinstance(factor, keras.Variable):
        factor = ops.cast(factor, inputs.dtype)
    if len(factor.shape) == 2:
        outputs = ops.matmul(inputs, factor)
    else:
        outputs = ops.squeeze(ops.matmul(ops.expand_dims(inputs, 1), factor), 1)
    return outputs if bias is None else outputs + bias


def float32_at_least(tensor):
    """A tensor of half precision as float32, any other as it is.

    Sums of many numbers overflow in float16 and stop growing in bfloat16.
    """
    return ops.cast(tensor, keras.backend.result_type(tensor.dtype, "float32"))


def with_gradient(function, *tensors):
    """`function(*tensors)` with a custom gradient.

    Gradients of these gradients are not defined.

    Args:
        function: function of tensors that returns a tensor and a function of the upstream gradient,
            which returns a list of the gradients of the tensors, in any dtypes.
        *tensors: tensors, not variables.

    Returns:
        The tensor.
    """

    @ops.custom_gradient
    def computed(*tensors):
        # Without this, a gradient tape of TensorFlow would record the operations inside as well.
        tensors = [ops.stop_gradient(tensor) for tensor in tensors]
        value, gradients = function(*tensors)

        def gradients_for_backend(*arguments, upstream=None):
            # PyTorch passes the gradient by name, after the arguments; the others pass it alone.
            found = gradients(arguments[0] if upstream is None else upstream)
            return tuple(
                ops.cast(gradient, tensor.dtype)
                for gradient, tensor in zip(found, tensors, strict=True)
            )

        return value, gradients_for_backend

    return computed(*tensors)
