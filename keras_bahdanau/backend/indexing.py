"""Gathering and splitting, each as one operation with one gradient, on every backend.

In a loop over tokens the operations are so small that their number decides the time.
"""

import keras
from keras import ops


def rows_of(tensor, rows):
    """Gathers rows: `keras.ops.take` along the first axis, for indices of at least 0."""
    if keras.backend.backend() != "tensorflow":
        return ops.take(tensor, rows, axis=0)
    import tensorflow as tf

    return tf.gather(tensor, rows)


def split(tensor, widths):
    """Splits a tensor along its last axis.

    The gradient is one concatenation. (That of a slice is a tensor of the whole width, zero almost
    everywhere, and those of all slices have to be added up.)

    Args:
        tensor: tensor of shape `(..., sum of widths)`.
        widths: list of integers, or of scalar tensors for widths that are not known statically.

    Returns:
        list of tensors of shape `(..., width)`.
    """
    backend = keras.backend.backend()
    if backend == "torch":
        return list(tensor.split([int(width) for width in widths], dim=-1))
    if backend == "jax":
        ends = [sum(widths[:end]) for end in range(1, len(widths))]
        return ops.split(tensor, ends, axis=-1)
    import tensorflow as tf

    parts = tf.split(tensor, widths, axis=-1)
    for part, width in zip(parts, widths, strict=True):
        # If one width is dynamic, TensorFlow infers no static width for the others either.
        if isinstance(width, int):
            part.set_shape([*part.shape[:-1], width])
    return parts
