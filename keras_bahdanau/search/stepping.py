"""Calling the caller's step function, and keeping what it gives at each position."""

from keras import ops, tree


def call_step(step, token_ids, structures, tensors):
    """Calls `step` with its own structures and checks what comes back.

    Args:
        step: function `(token_ids, states, constants) -> (logits, states, attention_scores)`.
        token_ids: int32 tensor of shape `(rows,)`.
        structures: nested structures that `step` takes its states and constants in.
        tensors: for each a flat list of tensors with leading dimension `rows`.

    Returns:
        `(logits, states, attention_scores)`: a tensor of shape `(rows, vocabulary_size)`, a flat
        list, and a float32 tensor of shape `(rows, S)` or `None`.
    """
    states, constants = map(tree.pack_sequence_as, structures, tensors)
    logits, new_states, attention_scores = step(token_ids, states, constants)
    new_states, given = tree.flatten(new_states), len(tensors[0])
    if len(new_states) != given or len(logits.shape) != 2:
        raise ValueError(
            "The step function must return logits of shape `(rows, vocabulary_size)` and as many "
            f"states as it was given. Received: logits of shape {tuple(logits.shape)} and "
            f"{len(new_states)} states for {given}"
        )
    if attention_scores is not None:
        attention_scores = ops.cast(attention_scores, "float32")
    return logits, new_states, attention_scores


def write(buffer, here, values):
    """Returns `buffer` with `values` at one position of its second dimension.

    Every position is written and all but one with what it had: shapes stay static in a graph,
    which an indexed write with a dynamic position does not promise on every backend.

    Args:
        buffer: tensor of shape `(rows, T, ...)`, or a number to begin a buffer with.
        here: bool tensor of shape `(T,)`, True at the position.
        values: tensor of shape `(rows, ...)`.
    """
    here = ops.reshape(here, (-1,) + (1,) * (len(values.shape) - 1))
    return ops.where(here, ops.expand_dims(values, axis=1), buffer)
