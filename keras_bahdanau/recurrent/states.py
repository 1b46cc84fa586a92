"""The recurrent states of an attention cell: how wide, in which dtype, and how they begin."""

from keras import ops, tree


def state_sizes(cell, value_lengths):
    """Widths of all recurrent states, a flat list, for memories of these lengths."""
    sizes = cell.cell_state_size
    if cell.order == "after":
        sizes.append(cell.context_dim)
    for attention, length in zip(cell.attentions, value_lengths, strict=True):
        sizes.extend(length for _ in attention.state_names)
    return sizes


def state_dtypes(cell):
    """Dtypes of all recurrent states."""
    dtypes = [cell.compute_dtype] * (len(cell.cell_state_size) + (cell.order == "after"))
    for attention in cell.attentions:
        dtypes.extend(attention.state_dtype for _ in attention.state_names)
    return dtypes


def recurrent_states(cell, attended, initial_state=None):
    """A flat list of tensors: what was given, and the rest as it starts.

    Args:
        cell: a built `AttentionCell`.
        attended: list of `Attended`.
        initial_state: all recurrent states, or the cell's alone, or `None`.
    """
    given = [] if initial_state is None else list(tree.flatten(initial_state))
    if len(given) == len(cell.recurrent_state_size):
        return [
            ops.cast(state, dtype) for state, dtype in zip(given, state_dtypes(cell), strict=True)
        ]
    batch_size = ops.shape(attended[0].memory)[0]

    def zeros(size):
        return ops.zeros((batch_size, size), dtype=cell.compute_dtype)

    states = given or [zeros(size) for size in cell.cell_state_size]
    if cell.order == "after":
        states.append(zeros(cell.context_dim))
    for attention, each in zip(cell.attentions, attended, strict=True):
        state = attention.get_initial_state(each.memory)
        states.extend(state[name] for name in attention.state_names)
    return states


def split_states(cell, states):
    """Takes the recurrent states of an `AttentionCell` apart.

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
