"""Tensors of zeros that take no room in a file."""

import tensorflow as tf


def zeros(shape, length):
    """A float32 tensor of zeros that is made when the graph runs.

    `tf.zeros` would be a constant, which a LiteRT file holds in full.

    Args:
        shape: tuple of ints.
        length: a scalar int32 tensor of the graph, never negative.
    """
    return tf.fill(shape, tf.cast(tf.minimum(length, 0), "float32"))
