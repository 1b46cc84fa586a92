"""What attention layers look at during a sequence: memories with their keys and masks."""

from typing import Any, NamedTuple

from keras import tree

from keras_bahdanau.layers.arguments import (
    check_attention_shapes,
    check_keys_shape,
    check_mask,
    same_size,
)
from keras_bahdanau.recurrent.states import state_sizes


class Attended(NamedTuple):
    """What one attention layer looks at, the same at every step.

    Attributes:
        memory: tensor of shape `(batch_size, source_length, value_dim)`.
        keys: tensor of shape `(batch_size, source_length, keys_dim)`.
        mask: bool tensor of shape `(batch_size, source_length)`, or `None`.
    """

    memory: Any
    keys: Any
    mask: Any


def attend_to(attentions, memory, memory_mask=None, keys=None):
    """A list of `Attended`, one for each attention; keys are projected where none are given."""
    given = (one_for_each(each, len(attentions)) for each in (memory, keys, memory_mask))
    return [
        Attended(memory, attention.project_keys(memory) if keys is None else keys, mask)
        for attention, memory, keys, mask in zip(attentions, *given, strict=True)
    ]


def one_for_each(given, count):
    """A list of `count`: what was given, or the one thing given for all of them."""
    if isinstance(given, (list, tuple)):
        return list(given)
    return [given] * count


def shape_for_each(shape, count):
    """As `one_for_each`, where what is given is the shape of a memory or a list of them."""
    if not (len(shape) and isinstance(shape[0], (list, tuple))):
        return [tuple(shape)] * count
    check_count("memory", shape, count)
    return [tuple(each) for each in shape]


def check_count(name, given, count):
    """Raises ValueError unless there is one for each of `count` attention layers."""
    if len(given) != count:
        raise ValueError(
            f"Expected `{name}` to be one, or a list of one for each of {count} attention "
            f"layers. Received: a list of {len(given)}"
        )


def check_call(cell, inputs, memory, memory_mask, keys, initial_state, inputs_mask):
    """Raises ValueError unless the arguments of a call of `AttentionRNN` fit together."""
    if len(inputs.shape) not in (2, 3):
        raise ValueError(
            "Expected `inputs` of shape (batch_size, input_dim) or "
            "(batch_size, target_length, input_dim). "
            f"Received: inputs.shape={tuple(inputs.shape)}"
        )
    check_mask("inputs_mask", inputs_mask, inputs.shape[:-1])
    given = {"memory": memory, "memory_mask": memory_mask, "keys": keys}
    given = {name: one_for_each(each, cell.count) for name, each in given.items()}
    for name, each in given.items():
        check_count(name, each, cell.count)
    for attention, memory, mask, keys in zip(cell.attentions, *given.values(), strict=True):
        check_attention_shapes(inputs.shape, memory.shape)
        check_mask("memory_mask", mask, memory.shape[:-1])
        if keys is not None:
            check_keys_shape(keys.shape, memory.shape, attention.keys_dim)
    if initial_state is not None:
        lengths = [memory.shape[1] for memory in given["memory"]]
        check_initial_state(cell, initial_state, lengths)


def check_initial_state(cell, initial_state, value_lengths):
    """Raises ValueError unless it is the cell's states or all recurrent states."""
    received = [state.shape[-1] for state in tree.flatten(initial_state)]
    expected = [state_sizes(cell, value_lengths)]
    if cell.cell_state_size not in expected:
        expected.append(cell.cell_state_size)
    if not any(
        len(received) == len(sizes) and all(map(same_size, received, sizes)) for sizes in expected
    ):
        raise ValueError(
            "Expected `initial_state` to be a list of states of widths "
            f"{' or '.join(map(str, expected))}. Received: widths {received}"
        )
