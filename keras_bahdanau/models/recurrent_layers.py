"""The recurrent layers of encoder and decoder."""

import weakref

import keras

from keras_bahdanau.layers import BahdanauAttention
from keras_bahdanau.recurrent import AttentionRNN
from keras_bahdanau.recurrent.gru_cell import GRUCell
from keras_bahdanau.recurrent.packed_rnn import SkippingRNN

CELLS = {"gru": GRUCell, "lstm": keras.layers.LSTMCell}
# The argument of each `bidirectional_layer`, by the result, which holds copies of it.
_WRAPPED = weakref.WeakKeyDictionary()


def recurrent_layer(cell, units, *, initializer_range, recurrent_dropout, skip_padding, name):
    """A `keras.layers.RNN` that returns its sequence and its states: see `Encoder`."""
    layer = SkippingRNN if skip_padding else keras.layers.RNN
    cell = _stacked_cell(
        cell,
        units,
        num_layers=1,
        initializer_range=initializer_range,
        recurrent_dropout=recurrent_dropout,
    )
    return layer(cell, return_sequences=True, return_state=True, name=name)


def bidirectional_layer(layer, name):
    """A `keras.layers.Bidirectional` of a layer, which is kept alive as long as the result.

    Keras identifies shared objects by their memory address while it loads a file. `Bidirectional`
    keeps only copies of the layer: once that is freed, a new layer could get its address, and Keras
    would load it as a copy of the first.
    """
    bidirectional = keras.layers.Bidirectional(layer, name=name)
    _WRAPPED[bidirectional] = layer
    return bidirectional


def decoder_recurrence(
    cell,
    units,
    num_layers,
    attention_units,
    *,
    order,
    dropout,
    recurrent_dropout,
    attention_dropout,
    initializer_range,
    skip_padding,
):
    """An `AttentionRNN` of stacked cells around one `BahdanauAttention`: see `Decoder`."""
    transitions = [
        _stacked_cell(
            cell,
            units,
            num_layers,
            initializer_range=initializer_range,
            recurrent_dropout=recurrent_dropout,
            dropout=dropout,
        )
        for _ in range(2 if order == "between" else 1)
    ]
    attention = BahdanauAttention(
        attention_units,
        position_dropout=attention_dropout,
        kernel_initializer=uniform_initializer(initializer_range),
        name="attention",
    )
    return AttentionRNN(
        transitions[0],
        attention,
        order=order,
        second_cell=transitions[1] if order == "between" else None,
        skip_padding=skip_padding,
        name="attention_rnn",
    )


def uniform_initializer(initializer_range):
    """A new uniform initializer in [-initializer_range, initializer_range]."""
    return keras.initializers.RandomUniform(-initializer_range, initializer_range)


def _stacked_cell(cell, units, num_layers, *, initializer_range, recurrent_dropout, dropout=0.0):
    """A GRU or LSTM cell, or `StackedRNNCells` of `num_layers` of them.

    `dropout` is applied to the inputs of every layer but the first.
    """
    if cell not in CELLS:
        raise ValueError(f"Argument `cell` must be one of {tuple(CELLS)}. Received: cell={cell}")
    cells = [
        CELLS[cell](
            units,
            dropout=dropout if index else 0.0,
            recurrent_dropout=recurrent_dropout,
            kernel_initializer=uniform_initializer(initializer_range),
            recurrent_initializer=uniform_initializer(initializer_range),
        )
        for index in range(num_layers)
    ]
    return cells[0] if num_layers == 1 else keras.layers.StackedRNNCells(cells)
