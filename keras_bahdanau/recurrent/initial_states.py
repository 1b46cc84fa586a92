"""The recurrent states before the first step."""

from keras import ops, tree


def recurrent_states(cell, attended, initial_state=None):
    """A flat list of tensors: what was given, and the rest as it starts.

    Args:
        cell: a built `AttentionCell`.
        attended: list of `Attended`.
        initial_state: all recurrent states, or the cell's alone, or `None`.
    """
    given = [] if initial_state is None else list(tree.flatten(initial_state))
    if len(given) == len(cell.recurrent_state_size):
        return given
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
