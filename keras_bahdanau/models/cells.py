"""The recurrent cells and layers that the models are built of."""

import keras

CELLS = ("gru", "lstm")


def uniform_initializer(initializer_range):
    """A new uniform initializer in [-initializer_range, initializer_range]."""
    return keras.initializers.RandomUniform(-initializer_range, initializer_range)


def recurrent_layer(cell, units, *, initializer_range, recurrent_dropout, name):
    """A `keras.layers.GRU` or `LSTM` that returns its sequence and its states."""
    layer_class = {"gru": keras.layers.GRU, "lstm": keras.layers.LSTM}[check_cell(cell)]
    return layer_class(
        units,
        return_sequences=True,
        return_state=True,
        recurrent_dropout=recurrent_dropout,
        kernel_initializer=uniform_initializer(initializer_range),
        recurrent_initializer=uniform_initializer(initializer_range),
        name=name,
    )


def stacked_cell(cell, units, num_layers, *, initializer_range, recurrent_dropout, dropout):
    """A GRU or LSTM cell, or `StackedRNNCells` of `num_layers` of them.

    `dropout` is applied to the inputs of every layer but the first.
    """
    cell_class = {"gru": keras.layers.GRUCell, "lstm": keras.layers.LSTMCell}[check_cell(cell)]
    cells = [
        cell_class(
            units,
            dropout=dropout if index else 0.0,
            recurrent_dropout=recurrent_dropout,
            kernel_initializer=uniform_initializer(initializer_range),
            recurrent_initializer=uniform_initializer(initializer_range),
        )
        for index in range(num_layers)
    ]
    return cells[0] if num_layers == 1 else keras.layers.StackedRNNCells(cells)


def check_cell(cell):
    if cell not in CELLS:
        raise ValueError(f"Argument `cell` must be one of {CELLS}. Received: cell={cell}")
    return cell
