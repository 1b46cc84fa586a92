"""Dropout masks of recurrent cells: one for all time steps of a sequence.

Keras's cells draw their masks at first use and keep them until they are reset. `keras.layers.RNN`
draws and resets those of its own cells, but not those of cells inside a cell. They are drawn before
the loop over time: drawn inside, they would belong to the graph of a single step.
"""

import contextlib

import keras
from keras import ops, tree

from keras_bahdanau.recurrent.gru_cell import inner_cells


def fix_dropout_masks(attention_cell, sequence):
    """Draws the masks of the cells in an `AttentionCell`.

    Args:
        attention_cell: a built `AttentionCell`.
        sequence: tensor of shape `(batch_size, target_length, input_dim)`.
    """
    batch_size, dtype = ops.shape(sequence)[0], sequence.dtype
    dims = attention_cell.cell_input_dims
    for cell, dim in zip(attention_cell.transitions, dims, strict=True):
        cell_input = ops.zeros((batch_size, dim), dtype=dtype)
        for inner in inner_cells(cell):
            state = ops.zeros((batch_size, tree.flatten(inner.state_size)[0]), dtype=dtype)
            if hasattr(inner, "get_dropout_mask"):
                inner.get_dropout_mask(cell_input)
                inner.get_recurrent_dropout_mask(state)
            cell_input = state


def has_dropout_masks(cell):
    """Whether a cell, or a cell stacked in it, drops inputs or states in training."""
    return any(
        getattr(inner, "dropout", 0) or getattr(inner, "recurrent_dropout", 0)
        for inner in inner_cells(cell)
    )


def release_dropout_masks(attention_cell):
    """Resets the masks, so that the next sequence draws its own."""
    for cell in attention_cell.transitions:
        for inner in inner_cells(cell):
            if hasattr(inner, "reset_dropout_mask"):
                inner.reset_dropout_mask()
                inner.reset_recurrent_dropout_mask()


@contextlib.contextmanager
def no_dropout_masks(layers):
    """Sets the dropout rates of recurrent layers' cells to zero, until it ends.

    `keras.layers.RNN` draws dropout masks in inference too, where its cells ignore them. A graph
    that is exported would then hold random operations, and their seed as a variable.

    Args:
        layers: list of layers; those that are neither `keras.layers.RNN` nor
            `keras.layers.Bidirectional` stay as they are.
    """
    cells = [inner for layer in layers for cell in _cells(layer) for inner in inner_cells(cell)]
    rates = [
        (cell, name, getattr(cell, name))
        for cell in cells
        for name in ("dropout", "recurrent_dropout")
        if hasattr(cell, name)
    ]
    for cell, name, _ in rates:
        setattr(cell, name, 0.0)
    try:
        yield
    finally:
        for cell, name, rate in rates:
            setattr(cell, name, rate)


def _cells(layer):
    if isinstance(layer, keras.layers.Bidirectional):
        return [layer.forward_layer.cell, layer.backward_layer.cell]
    return [layer.cell] if isinstance(layer, keras.layers.RNN) else []
