"""Loops that Keras has not, for each backend that can have them."""

import keras
from keras import ops, tree

# For every number of rows that it has not met, TensorFlow on a processor generates code anew: so
# numbers of rows are rounded up to a multiple of this.
ROW_MULTIPLE = 8


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


def while_rows(condition, body, loop_vars):
    """`keras.ops.while_loop`, where the first dimension of tensors may change from turn to turn.

    On JAX, which has to know all shapes, it may not.

    Args:
        condition: function of the loop variables; returns a bool.
        body: function of the loop variables; returns new ones, of the same structure.
        loop_vars: nested structure of tensors.

    Returns:
        The last loop variables.
    """
    flat = [ops.convert_to_tensor(x) for x in tree.flatten(loop_vars)]

    def packed(function):
        return lambda *flat: function(*tree.pack_sequence_as(loop_vars, flat))

    def flat_body(*flat):
        return tree.flatten(packed(body)(*flat))

    if keras.backend.backend() != "tensorflow":
        flat = ops.while_loop(packed(condition), flat_body, flat)
    else:
        import tensorflow as tf

        shapes = [tf.TensorShape([None, *x.shape[1:]] if x.shape.rank else []) for x in flat]
        flat = tf.while_loop(packed(condition), flat_body, flat, shape_invariants=shapes)
    return tree.pack_sequence_as(loop_vars, flat)
