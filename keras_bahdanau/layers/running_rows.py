"""The loop over time that computes nothing for padding."""

import keras
from keras import ops, tree

from keras_bahdanau.layers.packed_rows import PackedRows


def over_running_rows(step, sequence, states, constants, mask):
    """`over_steps` with a mask, where step i is computed for the rows that still run.

    Rows stand from the longest to the shortest, so that those are the first ones, as in a packed
    sequence of PyTorch or cuDNN, and some of the next, to a round number. XLA, whose shapes have to
    be known, cannot compile it.

    Args and returns: those of `over_steps`.
    """
    packed = PackedRows(mask)
    states, constants = _of_each(packed.sorted, (list(states), constants))

    def advance(inputs, states, count):
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

    loop = _python_loop if keras.backend.backend() == "torch" else _tensorflow_loop
    outputs, states = loop(advance, packed, packed.pack(sequence), states)
    return packed.unpack(outputs), [packed.unsorted(state) for state in states]


def _of_each(function, structure):
    """The structure with a function of each tensor; there may be `None` among them."""
    return tree.map_structure(lambda x: None if x is None else function(x), structure)


def _python_loop(advance, packed, inputs, states):
    outputs, start = [], 0
    for count, places in zip(packed.counts.tolist(), packed.places.tolist(), strict=True):
        output, states = advance(inputs[start : start + places], states, count)
        outputs.append(output)
        start += places
    return ops.concatenate(outputs), states


def _tensorflow_loop(advance, packed, inputs, states):
    import tensorflow as tf

    counts, widths = packed.counts, []
    steps = tf.shape(counts)[0]
    array = tf.TensorArray(
        inputs.dtype, steps, element_shape=(None, inputs.shape[-1]), infer_shape=False
    ).split(inputs, packed.places)

    def body(index, outputs, *states):
        output, new_states = advance(array.read(index), states, counts[index])
        widths.append(output.shape[-1])
        states = (
            tf.ensure_shape(new, old.shape) for new, old in zip(new_states, states, strict=True)
        )
        return index + 1, outputs.write(index, output), *states

    outputs = tf.TensorArray(inputs.dtype, steps, element_shape=(None, None), infer_shape=False)
    _, outputs, *states = tf.while_loop(
        lambda index, *_: index < steps, body, (0, outputs, *states), maximum_iterations=steps
    )
    return tf.ensure_shape(outputs.concat(), (None, widths[0])), states
