"""Tensors that a loop hands out side by side, and how they are taken apart."""

import keras
from keras import ops, tree


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
