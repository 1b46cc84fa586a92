"""Compiles functions of token ids for batches of any shape."""

import keras
import numpy as np

# On JAX, lengths are padded to a multiple of this.
WIDTH_MULTIPLE = 8


def compile_for_ids(function, num_ids, num_numbers=0, variables=()):
    """Compiles a function of token ids.

    On TensorFlow it becomes one graph for all shapes. JAX compiles every shape: so there the batch
    is padded to a power of two and the length, the same for all arrays, to a multiple of 8, and the
    rows of padding are cut off the results. On PyTorch the function runs as it is, without
    gradients.

    Args:
        function: takes `num_ids` int32 tensors of shape `(batch_size, length)`, where 0 is padding,
            and `num_numbers` float32 scalars; returns nested tensors of `batch_size` rows.
        num_ids: number of its tensors of token ids.
        num_numbers: number of its scalars.
        variables: the Keras variables that it uses, with their values at the time of each call.

    Returns:
        A function of NumPy arrays and of numbers.
    """
    backend = keras.backend.backend()
    if backend == "tensorflow":
        return _graph(function, num_ids, num_numbers)
    if backend == "jax":
        return _padded_program(function, num_ids, variables)
    return _without_gradients(function)


def _graph(function, num_ids, num_numbers):
    import tensorflow as tf

    ids, number = tf.TensorSpec((None, None), tf.int32), tf.TensorSpec((), tf.float32)
    signature = [ids] * num_ids + [number] * num_numbers
    # No Python control flow depends on tensors: autograph would only cost seconds.
    return tf.function(function, input_signature=signature, autograph=False)


def _padded_program(function, num_ids, variables):
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
