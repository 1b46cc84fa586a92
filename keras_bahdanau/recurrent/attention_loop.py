"""All steps of a recurrent cell that attends."""

from keras import ops

from keras_bahdanau.layers.steps import over_steps
from keras_bahdanau.recurrent.attention_step import attention_step
from keras_bahdanau.recurrent.dropout_masks import has_dropout_masks
from keras_bahdanau.recurrent.inner_cells import product_factors


def attention_loop(cell, sequence, states, attended, mask=None, training=None):
    """Attends and advances at each element of a sequence.

    Args:
        cell: a built `AttentionCell`.
        sequence: tensor of shape `(batch_size, target_length, input_dim)`.
        states: list of the recurrent states.
        attended: list of `Attended`, one for each attention.
        mask: bool tensor of shape `(batch_size, target_length)`, False where a step is skipped, or
            `None`.
        training: whether this is training.

    Returns:
        `(outputs, states)`: the cell's output, the context and the weights of each attention side
        by side, of shape `(batch_size, target_length, ...)` (`AttentionCell.split_outputs` takes
        them apart), and the last states.
    """
    input_dim = sequence.shape[-1]
    batch_size, target_length = ops.shape(sequence)[:2]
    lengths = [ops.shape(each.memory)[1] for each in attended]
    noise = [
        attention.draw_noise(batch_size, target_length, length, training)
        for attention, length in zip(cell.attentions, lengths, strict=True)
    ]
    drawn = [ops.cast(each, sequence.dtype) for each in noise if each is not None]

    def step(inputs, states, attended):
        draws, start = [], input_dim
        for each, length in zip(noise, lengths, strict=True):
            draws.append(None if each is None else inputs[:, None, start : start + length])
            start = start if each is None else start + length
        output, context, weights, states = attention_step(
            cell, inputs[:, :input_dim], states, attended, training, draws
        )
        return ops.concatenate([output, context, *weights], axis=-1), states

    sequence = ops.concatenate([sequence, *drawn], axis=-1) if drawn else sequence
    # Cells keep their dropout masks for all rows in their order.
    pack = not (training and any(map(has_dropout_masks, cell.transitions)))
    factors = []
    if training:
        factors = [
            *product_factors([*cell.transitions, *cell.attentions]),
            *(each.memory for each in attended),
        ]
    return over_steps(step, sequence, states, attended, mask, pack, factors)
