"""Gradients, compilation and precision on whichever backend Keras runs on."""

import warnings

import keras
import pytest
from attention_oracle import arrays_of
from keras import ops

# Data types and how close results come to exact ones. On JAX and PyTorch there is no float64 with
# Keras, whose operations return float32 there.
PRECISIONS = [("float32", 1e-5)]
if keras.backend.backend() == "tensorflow":
    PRECISIONS.append(("float64", 1e-10))
BEST = PRECISIONS[-1]


def cases(values, most=2):
    """The cases of a test. On JAX and PyTorch, which are slow to compile or to run small
    operations: the first and the last of them, or the last alone (`most=1`)."""
    values = list(values)
    if keras.backend.backend() == "tensorflow" or len(values) <= most:
        return values
    return [values[0], values[-1]][-most:]


def long_on(backends, *values):
    """A mark for a test, or a case of `values` with it, that these backends compile for long."""
    marks = [pytest.mark.exhaustive] if keras.backend.backend() in backends else []
    if values:
        return pytest.param(*values, marks=marks)
    return marks[0] if marks else lambda test: test


def value_and_gradients(function, arrays, compile=None):
    """A scalar function's value and its gradients with respect to all of its arguments.

    Args:
        function: function of tensors that returns a scalar tensor.
        arrays: list of NumPy arrays.
        compile: `compiled` or another function of a function, which compiles value and gradients
            together.

    Returns:
        `(value, gradients)`: arrays; zeros where an argument is not used.
    """
    backend = keras.backend.backend()
    tensors = [ops.convert_to_tensor(array, dtype=array.dtype.name) for array in arrays]

    def on_tensorflow(*tensors):
        import tensorflow as tf

        with tf.GradientTape() as tape:
            tape.watch(tensors)
            value = function(*tensors)
        gradients = tape.gradient(value, tensors, unconnected_gradients="zero")
        return value, [tf.convert_to_tensor(gradient) for gradient in gradients]

    def on_jax(*tensors):
        import jax

        return jax.value_and_grad(function, argnums=tuple(range(len(tensors))))(*tensors)

    def on_torch(*tensors):
        import torch

        tensors = [tensor.detach().clone().requires_grad_() for tensor in tensors]
        value = (compile(function) if compile else function)(*tensors)
        return value, torch.autograd.grad(value, tensors, allow_unused=True, materialize_grads=True)

    if backend == "jax" and compile is None:
        # Operation by operation JAX would compile each of them, for every shape.
        compile = compiled
    both = {"tensorflow": on_tensorflow, "jax": on_jax, "torch": on_torch}[backend]
    if compile and backend != "torch":
        both = compile(both)
    value, gradients = both(*tensors)
    return arrays_of(value), [arrays_of(gradient) for gradient in gradients]


def compiled(function):
    """The function as the backend compiles it."""
    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        return tf.function(function)
    if backend == "jax":
        import jax

        return jax.jit(function)
    import torch

    # It would run what it has compiled for eight other layers before as it is.
    torch.compiler.reset()
    # All of its tracing, forwards and backwards, but no C++ compiler, which not every machine has.
    traced = torch.compile(function, backend="aot_eager")

    def run(*arguments):
        with warnings.catch_warnings():
            # PyTorch's own modules warn of each other at their first import.
            warnings.simplefilter("ignore")
            return traced(*arguments)

    return run


def weighted_loss(layer, probes, **call_arguments):
    """A scalar function of inputs and trainable weights: all outputs times `probes`, summed.

    Args:
        layer: a built layer.
        probes: function of an output's shape, which returns an array of that shape.
        **call_arguments: what the layer is called with beside its inputs.

    Returns:
        `loss(*tensors)`, whose tensors are the layer's inputs and then its trainable weights.
    """
    count = len(layer.trainable_variables)

    def loss(*tensors):
        inputs, weights = tensors[:-count], tensors[-count:]
        outputs, _ = layer.stateless_call(
            weights, layer.non_trainable_variables, *inputs, **call_arguments
        )
        products = [
            ops.sum(output * ops.convert_to_tensor(probes(output.shape), dtype=output.dtype))
            for output in keras.tree.flatten(outputs)
        ]
        return sum(products[1:], products[0])

    return loss
