"""A loop that Keras has not, for each backend that can have it."""

import keras
from keras import ops


def over_pieces(step, sequence, lengths, numbers, states):
    """Calls `step` on each piece of a tensor, each time with the states of the time before.

    Pieces may have different lengths, which `keras.ops` knows no loop for; JAX, which has to know
    all shapes, has none at all.

    Args:
        step: function of a tensor of shape `(length, dim)`, a number and a list of states; returns
            a tensor of shape `(length, output_dim)` and the list of new states, of the same shapes
            as the old ones.
        sequence: tensor of shape `(sum of lengths, dim)`.
        lengths: int32 tensor of shape `(pieces,)`, at least one.
        numbers: int32 tensor of shape `(pieces,)`, what `step` gets besides.
        states: list of tensors.

    Returns:
        `(outputs, states)`: a tensor of shape `(sum of lengths, output_dim)`, and the last states.
    """
    loop = {"tensorflow": _on_tensorflow, "torch": _on_torch}[keras.backend.backend()]
    return loop(step, sequence, lengths, numbers, states)


def _on_tensorflow(step, sequence, lengths, numbers, states):
    import tensorflow as tf

    count, widths = tf.shape(lengths)[0], []
    pieces = tf.TensorArray(
        sequence.dtype, count, element_shape=(None, sequence.shape[-1]), infer_shape=False
    ).split(sequence, lengths)

    def body(index, outputs, *states):
        output, new_states = step(pieces.read(index), numbers[index], states)
        widths.append(output.shape[-1])
        states = (
            tf.ensure_shape(new, old.shape) for new, old in zip(new_states, states, strict=True)
        )
        return index + 1, outputs.write(index, output), *states

    outputs = tf.TensorArray(sequence.dtype, count, element_shape=(None, None), infer_shape=False)
    _, outputs, *states = tf.while_loop(
        lambda index, *_: index < count, body, (0, outputs, *states), maximum_iterations=count
    )
    return tf.ensure_shape(outputs.concat(), (None, widths[0])), states


def _on_torch(step, sequence, lengths, numbers, states):
    outputs, start = [], 0
    for length, number in zip(lengths.tolist(), numbers.tolist(), strict=True):
        output, states = step(sequence[start : start + length], number, states)
        outputs.append(output)
        start += length
    return ops.concatenate(outputs), states
