"""One step of a recurrent cell that attends: the equations of `AttentionCell`."""

from typing import Any, NamedTuple

from keras import ops, tree

from keras_bahdanau.backend.numerics import matmul
from keras_bahdanau.recurrent.gru_cell import call_cell


def attention_step(cell, inputs, states, attended, training=None, draws=None, matmul=matmul):
    """Attends and advances, in the order of the cell.

    Args:
        cell: a built `AttentionCell`.
        inputs: tensor of shape `(batch_size, input_dim)`.
        states: list of the recurrent states.
        attended: list of `Attended`, one for each attention.
        training: whether this is training.
        draws: list of `(noise, dropout_mask)`, one for each attention: what its `draw_noise` and
            `draw_dropout_mask` returned for this step, of shape `(batch_size, value_length)`; or
            `None` for none.
        matmul: what a `scan` passes to its steps.

    Returns:
        `(output, context, weights, states)`: tensors of shapes `(batch_size, units)` and
        `(batch_size, context_dim)`, a list of tensors of shape `(batch_size, value_length)`, one
        for each attention, and the list of the new recurrent states.
    """
    cell_states, context, attention_states = split_states(cell, states)
    draws = draws or [(None, None)] * cell.count

    def attend(query):
        return _attend(cell, query, attention_states, attended, training, draws, matmul)

    def advance(transition, cell_inputs, cell_states):
        packed = tree.pack_sequence_as(cell.cell.state_size, cell_states)
        packed = packed if isinstance(packed, (list, tuple)) else [packed]
        output, new_states = call_cell(transition, cell_inputs, packed, training, matmul)
        return output, list(tree.flatten(new_states))

    def joined(context):
        if cell.input_layer is None:
            return ops.concatenate([inputs, context], axis=-1)
        return cell.input_layer([inputs, context])

    if cell.order == "before":
        context, weights, states = attend(cell_states[cell.query_index])
        output, cell_states = advance(cell.cell, joined(context), cell_states)
        return output, context, weights, [*cell_states, *states]
    if cell.order == "between":
        query, cell_states = advance(cell.cell, inputs, cell_states)
        context, weights, states = attend(query)
        output, cell_states = advance(cell.second_cell, context, cell_states)
        return output, context, weights, [*cell_states, *states]
    output, cell_states = advance(cell.cell, joined(context), cell_states)
    context, weights, states = attend(output)
    return output, context, weights, [*cell_states, context, *states]


def _attend(cell, query, attention_states, attended, training, draws, matmul):
    """All attentions of a cell: their contexts side by side, their weights, their states."""
    contexts, all_weights, new_states = [], [], []
    parts = zip(
        cell.attentions, cell.attention_layers, attention_states, attended, draws, strict=True
    )
    for attention, attention_layer, state, (memory, keys, mask), (noise, dropout_mask) in parts:
        projected_query = ops.expand_dims(attention.project_query(query, matmul), 1)
        noise = None if noise is None else ops.expand_dims(noise, 1)
        weights, state = attention.weigh(projected_query, keys, mask, state, training, noise)
        weights = ops.squeeze(weights, 1)
        kept = weights
        if dropout_mask is not None:
            kept = weights * ops.cast(dropout_mask, weights.dtype)
        context = matmul(kept, memory)
        if attention_layer is not None:
            context = attention_layer(ops.concatenate([query, context], axis=-1))
        contexts.append(context)
        all_weights.append(weights)
        new_states.extend(state[name] for name in attention.state_names)
    context = contexts[0] if len(contexts) == 1 else ops.concatenate(contexts, axis=-1)
    return context, all_weights, new_states


class Attended(NamedTuple):
    """What one attention layer attends to, the same at every step.

    Attributes:
        memory: tensor of shape `(batch_size, source_length, value_dim)`.
        keys: tensor of shape `(batch_size, source_length, keys_dim)`.
        mask: bool tensor of shape `(batch_size, source_length)`, or `None`.
    """

    memory: Any
    keys: Any
    mask: Any


def split_states(cell, states):
    """Splits the recurrent states of an `AttentionCell` by what they belong to.

    Args:
        cell: a built `AttentionCell`.
        states: flat list of all recurrent states.

    Returns:
        `(cell_states, context, attention_states)`: a list of tensors; the last context with
        `order="after"`, else `None`; a list of one dict of tensors for each attention, by name.
    """
    count = len(cell.cell_state_size)
    cell_states, others = list(states[:count]), list(states[count:])
    context = others.pop(0) if cell.order == "after" else None
    others = iter(others)
    attention_states = [
        {name: next(others) for name in attention.state_names} for attention in cell.attentions
    ]
    return cell_states, context, attention_states
