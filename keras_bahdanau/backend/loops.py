"""Loops over tensors whose size changes between iterations, which `keras.ops` does not have."""

import keras
from keras import ops

# On a CPU, TensorFlow generates code for every new number of rows: so numbers of rows are rounded
# up to a multiple of this.
ROW_MULTIPLE = 8


def round_up(count):
    """Rounds a count up by less than a 32nd of it (or 8), so that few different numbers occur.

    Args:
        count: int32 scalar tensor.

    Returns:
        The next multiple of `ROW_MULTIPLE`, and of a 32nd of the greatest power of two in it.
    """
    exponent = ops.floor(ops.log2(ops.maximum(ops.cast(count, "float32"), 1.0)))
    multiple = ops.maximum(ops.cast(ops.power(2.0, exponent - 5), "int32"), ROW_MULTIPLE)
    return count + -count % multiple


def scan_chunks(step, sequences, sizes, numbers, states):
    """Scan over chunks of tensors, which may have different sizes, the last chunk first.

    Not on JAX, which has to know all shapes. It begins at the end so that the backward pass appends
    the gradients of the chunks one by one, and no earlier state of the whole is kept for it.

    Args:
        step: function of a list of tensors of shape `(size, dim)`, a number and a list of states;
            returns a list of as many tensors of shape `(size, output_dim)`, in the same dtypes,
            and the list of new states, of the same shapes as the old ones.
        sequences: list of tensors of shape `(sum of sizes, dim)`.
        sizes: int32 tensor of shape `(chunks,)`, at least one.
        numbers: int32 tensor of shape `(chunks,)`: `step` gets one for each chunk.
        states: list of tensors.

    Returns:
        `(outputs, states)`: a list of tensors of shape `(sum of sizes, output_dim)`, the outputs in
        the places of their chunks, and the last states.
    """
    loop = {"tensorflow": _on_tensorflow, "torch": _on_torch}[keras.backend.backend()]
    return loop(step, sequences, sizes, numbers, states)


def _on_tensorflow(step, sequences, sizes, numbers, states):
    import tensorflow as tf

    count, widths = tf.shape(sizes)[0], []
    dims = [tf.shape(each)[1] for each in sequences]
    stacks = [
        tf.raw_ops.TensorListSplit(
            tensor=each, element_shape=(-1, dim), lengths=tf.cast(sizes, "int64")
        )
        for each, dim in zip(sequences, dims, strict=True)
    ]
    outputs = [
        tf.TensorArray(each.dtype, count, element_shape=(None, None), infer_shape=False)
        for each in sequences
    ]

    def pop(stack, sequence, dim):
        stack, chunk = tf.raw_ops.TensorListPopBack(
            input_handle=stack, element_shape=(-1, dim), element_dtype=sequence.dtype
        )
        return stack, tf.ensure_shape(chunk, (None, sequence.shape[1]))

    def body(index, stacks, outputs, *states):
        popped = [pop(*each) for each in zip(stacks, sequences, dims, strict=True)]
        stacks, chunks = map(list, zip(*popped, strict=True))
        made, new_states = step(chunks, numbers[index], states)
        widths.append([each.shape[1] for each in made])
        states = (
            tf.ensure_shape(new, old.shape) for new, old in zip(new_states, states, strict=True)
        )
        outputs = [each.write(index, new) for each, new in zip(outputs, made, strict=True)]
        return index - 1, stacks, outputs, *states

    _, _, outputs, *states = tf.while_loop(
        lambda index, *_: index >= 0,
        body,
        (count - 1, stacks, outputs, *states),
        maximum_iterations=count,
    )
    outputs = [
        tf.ensure_shape(each.concat(), (None, width))
        for each, width in zip(outputs, widths[0], strict=True)
    ]
    return outputs, states


def _on_torch(step, sequences, sizes, numbers, states):
    sizes, numbers, outputs = sizes.tolist(), numbers.tolist(), []
    chunks = zip(*(each.split(sizes) for each in sequences), strict=True)
    for given, number in reversed(list(zip(chunks, numbers, strict=True))):
        made, states = step(given, number, states)
        outputs.append(made)
    return [ops.concatenate(each[::-1]) for each in zip(*outputs, strict=True)], states
