"""The loop over time that computes nothing for padding."""

from keras import ops, tree

from keras_bahdanau.layers.packed_rows import PackedRows
from keras_bahdanau.loops import over_pieces


def over_running_rows(step, sequence, states, constants, mask):
    """`over_steps` with a mask, where step i is computed for the rows that still run.

    Rows stand from the longest to the shortest, so that those are the first ones, as in a packed
    sequence of PyTorch or cuDNN, and some of the next, to a round number. XLA, whose shapes have to
    be known, cannot compile it.

    Args and returns: those of `over_steps`.
    """
    packed = PackedRows(mask)
    states, constants = _of_each(packed.sorted, (list(states), constants))

    def advance(inputs, count, states):
        places = ops.shape(inputs)[0]
        output, new_states = step(
            inputs,
            [state[:places] for state in states],
            _of_each(lambda constant: constant[:places], constants),
        )
        return ops.cast(output, sequence.dtype), [
            ops.concatenate([ops.cast(new, state.dtype)[:count], state[count:]])
            for new, state in zip(new_states, states, strict=True)
        ]

    inputs = packed.pack(sequence)
    outputs, states = over_pieces(advance, inputs, packed.places, packed.counts, states)
    return packed.unpack(outputs), [packed.unsorted(state) for state in states]


def _of_each(function, structure):
    """The structure with a function of each tensor; there may be `None` among them."""
    return tree.map_structure(lambda x: None if x is None else function(x), structure)
