"""Lengths that a search may return, and the checks of a search's arguments."""

from keras import ops, tree

# The length of a hypothesis that has not ended yet: larger than any `max_length`.
UNFINISHED = 2**30


def batch_size_of(initial_states):
    """Returns the leading dimension of `initial_states`, an int or (in a graph) a tensor."""
    states = tree.flatten(initial_states)
    if not states:
        raise ValueError(
            "Argument `initial_states` must hold at least one tensor, whose first dimension is "
            f"the batch. Received: initial_states={initial_states}"
        )
    return ops.shape(states[0])[0]


def length_limits(max_length, batch_size, longest=None):
    """Returns `max_length` for each sentence, and the number of positions that they need.

    Args:
        max_length: a positive int, or an int tensor of shape `(batch_size,)`.
        batch_size: int or scalar int tensor.
        longest: an int that no entry of the tensor exceeds; `None` for its largest entry.

    Returns:
        An int32 tensor of shape `(batch_size,)`, and an int or a scalar int32 tensor.
    """
    if isinstance(max_length, int):
        check_at_least("max_length", max_length, 1)
        longest = max_length
    else:
        max_length = ops.cast(ops.convert_to_tensor(max_length), "int32")
        longest = ops.maximum(ops.max(max_length), 1) if longest is None else longest
    return ops.broadcast_to(ops.cast(max_length, "int32"), (batch_size,)), longest


def lengths_after(lengths, token_ids, position, end_id, limits):
    """Returns the lengths after a token was added at `position`.

    Args:
        lengths: int32 tensor of shape `(rows,)`, `UNFINISHED` for hypotheses that grow.
        token_ids: int32 tensor of shape `(rows,)`, the tokens added.
        position: int or scalar int tensor.
        end_id: int.
        limits: int32 tensor of shape `(rows,)`, the largest lengths allowed.

    Returns:
        int32 tensor of shape `(rows,)`: hypotheses that ended earlier keep their length.
    """
    ended = ops.logical_or(token_ids == end_id, limits <= position + 1)
    return ops.where(ended, ops.minimum(lengths, position + 1), lengths)


def check_one_of(name, value, choices):
    """Raises a `ValueError` unless `value` is among `choices`."""
    if value not in choices:
        raise ValueError(f"Argument `{name}` must be one of {choices}. Received: {name}={value!r}")


def check_at_least(name, value, least):
    """Raises a `ValueError` unless `value` is an int of at least `least`."""
    if not isinstance(value, int) or value < least:
        raise ValueError(
            f"Argument `{name}` must be an integer of at least {least}. Received: {name}={value}"
        )
