"""Functions of token ids, compiled for batches of any shape."""

import keras
import numpy as np

# On JAX, widths are rounded up to a multiple of this.
WIDTH_MULTIPLE = 8


def compile_for_ids(function, num_ids, num_numbers=0, variables=()):
    """Compiles a function of token ids.

    On TensorFlow it becomes one graph for all shapes. JAX compiles each shape; so there rows of
    padding are added, up to a power of two, and columns, up to a multiple of 8, as many in all
    arrays, and those rows are taken off the results. On PyTorch the function stays as it is, but
    for gradients.

    Args:
        function: takes `num_ids` int32 tensors of shape `(batch_size, length)`, where 0 is padding,
            and `num_numbers` float32 scalars; returns nested tensors of `batch_size` rows.
        num_ids: how many.
        num_numbers: how many.
        variables: the Keras variables whose values it uses, at the time of each call.

    Returns:
        A function of NumPy arrays and of numbers.
    """
    backend = keras.backend.backend()
    if backend == "tensorflow":
        return _graph(function, num_ids, num_numbers)
    if backend == "jax":
        return _few_programs(function, num_ids, variables)
    return _without_gradients(function)


def _graph(function, num_ids, num_numbers):
    import tensorflow as tf

    ids, number = tf.TensorSpec((None, None), tf.int32), tf.TensorSpec((), tf.float32)
    signature = [ids] * num_ids + [number] * num_numbers
    # There is no control flow of Python on tensors, and to look for it would take seconds.
    return tf.function(function, input_signature=signature, autograph=False)


def _few_programs(function, num_ids, variables):
    import jax

    @jax.jit
    def program(values, *arguments):
        # As constants of the program, the values would stay those of its first call.
        with keras.StatelessScope(zip(variables, values, strict=True)):
            return function(*arguments)

    def call(*arguments):
        ids, numbers = arguments[:num_ids], arguments[num_ids:]
        rows = len(ids[0])
        width = max(array.shape[1] for array in ids)
        height, width = 1 << max(rows - 1, 0).bit_length(), width + -width % WIDTH_MULTIPLE
        padded = (np.pad(array, ((0, height - rows), (0, width - array.shape[1]))) for array in ids)
        values = [variable.value for variable in variables]
        result = program(values, *padded, *map(np.float32, numbers))
        return jax.tree.map(lambda tensor: np.asarray(tensor)[:rows], result)

    return call


def _without_gradients(function):
    import torch

    @torch.no_grad()
    def call(*arguments):
        return function(*map(keras.ops.convert_to_tensor, arguments))

    return call
