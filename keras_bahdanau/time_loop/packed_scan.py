"""The loop over time that computes nothing for padding."""

import keras
from keras import ops, tree

from keras_bahdanau.backend.custom_gradient import with_gradient
from keras_bahdanau.backend.loops import scan_chunks
from keras_bahdanau.time_loop.packed_sequence import PackedSequence
from keras_bahdanau.time_loop.weight_gradients import (
    Kernel,
    deferred_kernel,
    deferred_matrices,
    deferring,
)


def packed_scan(step, sequence, states, constants, mask, factors=()):
    """`scan` with a mask, where step i is computed for the rows that still run.

    Rows stand from the longest to the shortest, so that those are the first ones, as in a packed
    sequence of PyTorch or cuDNN, and some of the next, to a round number. XLA, whose shapes have to
    be known, cannot compile it.

    Args and returns: those of `scan`.
    """
    packed = PackedSequence(mask)
    kernels = {
        id(factor.kernel): deferred_kernel(factor, packed)
        for factor in factors
        if isinstance(factor, Kernel)
    }
    matrices = {
        index: deferred_matrices(constant, packed)
        for index, constant in enumerate(tree.flatten(constants))
        if any(constant is factor for factor in factors)
    }
    all_deferred = [*kernels.values(), *matrices.values()]
    states, constants = _of_each(packed.sorted, (list(states), constants))

    def advance(pieces, count, states):
        inputs, *offsets = pieces
        places = ops.shape(inputs)[0]
        running = _of_each(lambda constant: _first_rows(constant, places), constants)
        flat = tree.flatten(running)
        for deferred, offset in zip(all_deferred, offsets, strict=True):
            deferred.begin_step(offset)
        with deferring(kernels | {id(flat[index]): each for index, each in matrices.items()}):
            output, new_states = step(inputs, [state[:places] for state in states], running)
        outputs = [ops.cast(output, sequence.dtype), *(each.end_step() for each in all_deferred)]
        return outputs, [
            ops.concatenate([ops.cast(new, state.dtype)[:count], state[count:]])
            for new, state in zip(new_states, states, strict=True)
        ]

    sequences = [packed.pack(sequence), *(deferred.offsets for deferred in all_deferred)]
    outputs, states = scan_chunks(advance, sequences, packed.places, packed.counts, states)
    outputs, *inputs = outputs
    for deferred, inputs_of_steps in zip(all_deferred, inputs, strict=True):
        deferred.inputs = inputs_of_steps
    return packed.unpack(outputs), [packed.unsorted(state) for state in states]


def _first_rows(tensor, count):
    """`tensor[:count]`, whose gradient is copied only where rows are missing."""
    if not keras.backend.is_float_dtype(tensor.dtype):
        return tensor[:count]
    missing = ops.shape(tensor)[0] - count

    def rows(tensor):
        def gradients(upstream):
            widths = ((0, missing), *((0, 0) for _ in tensor.shape[1:]))
            return [ops.cond(missing > 0, lambda: ops.pad(upstream, widths), lambda: upstream)]

        return tensor[:count], gradients

    return with_gradient(rows, tensor)


def _of_each(function, structure):
    """The structure with a function of each tensor; there may be `None` among them."""
    return tree.map_structure(lambda x: None if x is None else function(x), structure)
