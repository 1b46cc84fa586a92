"""One dropout mask of a cell for all steps of a sequence, and a new one for the next sequence.

Keras's cells draw their masks at first use and keep them until they are reset. `keras.layers.RNN`
sees to that for its own cells, but not for cells inside a cell. The masks have to be drawn before
the loop starts: drawn inside, they would belong to the graph of a single step.
"""

from keras import ops, tree


def fix_dropout_masks(cell, inputs, memory):
    """Draws the masks of a cell whose input is `[inputs; context]`.

    Args:
        cell: a Keras cell, `StackedRNNCells` included.
        inputs: tensor of shape `(batch_size, target_length, input_dim)`.
        memory: tensor of shape `(batch_size, source_length, value_dim)`.
    """
    cell_input = ops.concatenate([inputs[:, 0], memory[:, 0]], axis=-1)
    for inner in _inner_cells(cell):
        units = tree.flatten(inner.state_size)[0]
        state = ops.zeros((ops.shape(inputs)[0], units), dtype=cell_input.dtype)
        if hasattr(inner, "get_dropout_mask"):
            inner.get_dropout_mask(cell_input)
            inner.get_recurrent_dropout_mask(state)
        cell_input = state


def release_dropout_masks(cell):
    """Forgets the masks of a cell, so that the next sequence draws its own."""
    for inner in _inner_cells(cell):
        if hasattr(inner, "reset_dropout_mask"):
            inner.reset_dropout_mask()
            inner.reset_recurrent_dropout_mask()


def _inner_cells(cell):
    return getattr(cell, "cells", [cell])
