"""Gathering and splitting with one operation, and one gradient, on every backend.

Inside a loop over tokens the operations are so small that their number is what counts.
"""

import keras
from keras import ops, tree


def rows_of(tensor, rows):
    """`keras.ops.take` along the first dimension, for rows that are none of them negative."""
    if keras.backend.backend() != "tensorflow":
        return ops.take(tensor, rows, axis=0)
    import tensorflow as tf

    return tf.gather(tensor, rows)


def parts_of(tensor, sizes):
    """Tensors of widths `sizes` that stand side by side along the last dimension.

    Unlike slices, whose gradients are tensors of the whole width each, they have one gradient.
    """
    if keras.backend.backend() != "tensorflow":
        ends = [sum(sizes[:end]) for end in range(1, len(sizes))]
        return ops.split(tensor, ends, axis=-1)
    import tensorflow as tf

    return tf.split(tensor, sizes, axis=-1)


def take_apart(tensor, widths):
    """Cuts a tensor into parts along its last axis.

    The gradient of a slice is a tensor of the whole width, nearly all of it zeros, and the
    gradients of all slices are added up. Here it is one concatenation.

    Args:
        tensor: tensor of shape `(..., sum of widths)`.
        widths: list of integers, or of scalar tensors where a width is not known before.

    Returns:
        list of tensors of shape `(..., width)`.
    """

    def cut(tensor):
        parts, start = [], 0
        for width in widths:
            parts.append(tensor[..., start : start + width])
            start = start + width
        return parts

    # A function with several results has no gradient of its own there.
    if keras.backend.backend() == "torch":
        return cut(tensor)

    @ops.custom_gradient
    def parts(tensor):
        def gradient(*upstream):
            return ops.concatenate(tree.flatten(upstream), axis=-1)

        return tuple(cut(ops.stop_gradient(tensor))), gradient

    return list(parts(tensor))
