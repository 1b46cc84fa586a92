"""Scan over a packed sequence: each time step computes only the rows that are still active."""

import keras
from keras import ops, tree

from keras_bahdanau.backend.loops import scan_chunks
from keras_bahdanau.backend.numerics import with_gradient
from keras_bahdanau.time_loop.packed_sequence import PackedSequence
from keras_bahdanau.time_loop.weight_gradients import (
    Kernel,
    deferred_kernel,
    deferred_matrices,
    deferring_matmul,
)


def packed_scan(step, sequence, states, constants, mask, factors=()):
    """`scan` with a mask, where a time step is computed for its active rows alone.

    The rows of the batch are sorted from the longest to the shortest, so that the active ones are
    the first ones, as in a packed sequence of PyTorch or cuDNN. Their number is rounded up (see
    `PackedSequence`). XLA, which has to know all shapes, cannot compile it.

    Args and returns: those of `scan`, with one `sequence`.
    """
    packed = PackedSequence(mask)
    kernels = [factor for factor in factors if isinstance(factor, Kernel)]
    matrices = [
        index
        for index, constant in enumerate(tree.flatten(constants))
        if any(constant is factor for factor in factors)
    ]
    deferred = [deferred_kernel(kernel, packed) for kernel in kernels] + [
        deferred_matrices(tree.flatten(constants)[index], packed) for index in matrices
    ]
    states, constants = _map(packed.sort, (list(states), constants))

    def advance(chunks, count, states):
        inputs, *offsets = chunks
        rows = ops.shape(inputs)[0]
        active = _map(lambda constant: _first_rows(constant, rows), constants)
        flat = tree.flatten(active)
        step_factors = [kernel.kernel for kernel in kernels] + [flat[index] for index in matrices]
        for each, factor, offset in zip(deferred, step_factors, offsets, strict=True):
            each.begin_step(factor, offset)
        output, new_states = step(
            inputs, [state[:rows] for state in states], active, deferring_matmul(deferred)
        )
        outputs = [ops.cast(output, sequence.dtype), *(each.end_step() for each in deferred)]
        return outputs, [
            ops.concatenate([ops.cast(new, state.dtype)[:count], state[count:]])
            for new, state in zip(new_states, states, strict=True)
        ]

    sequences = [packed.pack(sequence), *(each.offsets for each in deferred)]
    outputs, states = scan_chunks(advance, sequences, packed.sizes, packed.counts, states)
    outputs, *inputs = outputs
    for each, inputs_of_steps in zip(deferred, inputs, strict=True):
        each.inputs = inputs_of_steps
    return packed.unpack(outputs), [packed.unsort(state) for state in states]


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


def _map(function, structure):
    """A function of each tensor of a nested structure, in which `None` stays `None`."""
    return tree.map_structure(lambda x: None if x is None else function(x), structure)
