"""Functions that tell their gradient themselves."""

from keras import ops


def with_gradient(function, *tensors):
    """`function(*tensors)`, whose gradient is what the function says.

    Gradients of these gradients are not defined.

    Args:
        function: function of tensors that returns a tensor and a function of its gradient. This
            one returns a list of the gradients of the tensors, in any dtypes.
        *tensors: tensors, not variables.

    Returns:
        The tensor.
    """

    @ops.custom_gradient
    def computed(*tensors):
        # Without this, a gradient tape of TensorFlow would keep what is made of them as well.
        tensors = [ops.stop_gradient(tensor) for tensor in tensors]
        value, gradients = function(*tensors)

        def gradients_for_backend(*arguments, upstream=None):
            # PyTorch passes the gradient by name, after the arguments; the others alone.
            found = gradients(arguments[0] if upstream is None else upstream)
            return tuple(
                ops.cast(gradient, tensor.dtype)
                for gradient, tensor in zip(found, tensors, strict=True)
            )

        return value, gradients_for_backend

    return computed(*tensors)
