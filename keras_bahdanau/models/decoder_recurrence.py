"""The recurrent part of a decoder: its cells with the attention."""

from keras_bahdanau.layers import BahdanauAttention
from keras_bahdanau.models.cells import stacked_cell, uniform_initializer
from keras_bahdanau.recurrent import AttentionRNN


def decoder_recurrence(
    cell,
    units,
    num_layers,
    attention_units,
    *,
    order,
    layer_normalization,
    dropout,
    recurrent_dropout,
    attention_dropout,
    initializer_range,
    skip_padding,
):
    """An `AttentionRNN` of stacked cells around one `BahdanauAttention`: see `Decoder`."""
    transitions = [
        stacked_cell(
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
        layer_normalization=layer_normalization,
        dropout=attention_dropout,
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
