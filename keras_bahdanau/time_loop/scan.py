"""Scan: the loop over the time steps of a sequence, which carries states from step to step."""

import keras
from keras import ops, tree

from keras_bahdanau.backend.indexing import split
from keras_bahdanau.backend.numerics import matmul
from keras_bahdanau.time_loop.packed_scan import packed_scan


def scan(step, sequence, states, constants=(), mask=None, pack=False, factors=()):
    """Calls `step` at each time step of a sequence, with the states of the step before.

    Args:
        step: function of a tensor of shape `(batch_size, dim)`, a list of states, the constants
            and a function `matmul` (see `backend.numerics.matmul`); returns a tensor of shape
            `(batch_size, output_dim)` and the list of new states.
        sequence: tensor of shape `(batch_size, length, dim)`, or a nested structure of such
            tensors and `None`: then `step` gets the same structure of tensors of shape
            `(batch_size, dim)`, all in the dtype of the first.
        states: list of tensors of shape `(batch_size, ...)`.
        constants: structure of tensors of shape `(batch_size, ...)` and `None`, the same at every
            step. They are not carried through the loop.
        mask: bool tensor of shape `(batch_size, length)`, or `None` to keep all. Where it is False
            the output is zero and the states stay as they are.
        pack: with a mask, whether to compute (almost) nothing where it is False: see `packed_scan`.
            Then a step gets only the active rows of the batch, the longest first, so that all that
            it needs by row has to be among the constants. It has no effect on JAX.
        factors: list of `Kernel`s and constants that steps multiply by with `matmul`. Where the
            loop packs, their gradients are made after it: see `weight_gradients`.

    Returns:
        `(outputs, states)`: a tensor of shape `(batch_size, length, output_dim)` in the dtype of
        `sequence`, and the last states, each in the dtype in which it came.
    """
    if tree.is_nested(sequence):
        sequence, step = _concatenated(sequence, step)
    if not states:
        # `keras.layers.RNN` has no loop without a state.
        states = [ops.zeros_like(sequence[:, 0, :1])]

        def stateless(inputs, states, constants, matmul):
            return step(inputs, [], constants, matmul)[0], states

        return scan(stateless, sequence, states, constants, mask, pack, factors)[0], []
    if mask is not None and pack and keras.backend.backend() != "jax":
        return packed_scan(step, sequence, states, constants, mask, factors)
    if mask is not None:
        kept = ops.expand_dims(ops.cast(mask, sequence.dtype), -1)
        sequence, step = ops.concatenate([sequence, kept], axis=-1), _masked(step)
    dtypes = [sequence.dtype, *(state.dtype for state in states)]

    def plain(inputs, states):
        return step(inputs, states, constants, matmul)

    cell = _StepCell(plain, states, dtypes)
    # PyTorch has no loop but Python's, and `torch.compile` none for a layer made inside a call.
    if sequence.shape[1] == 1 or keras.backend.backend() == "torch":
        outputs = []
        for i in range(sequence.shape[1]):
            output, states = cell(sequence[:, i], states)
            outputs.append(output)
        outputs = ops.stack(outputs, axis=1)
    else:
        loop = keras.layers.RNN(
            cell, return_sequences=True, return_state=True, name="loop", dtype=cell.compute_dtype
        )
        outputs, *states = loop(sequence, initial_state=list(states))
    outputs, *states = map(ops.cast, (outputs, *states), dtypes)
    return outputs, states


def _concatenated(sequences, step):
    """One sequence instead of several, and a step that splits its inputs into them again."""
    given = [each for each in tree.flatten(sequences) if each is not None]
    widths = [ops.shape(each)[-1] for each in given]

    def split_step(inputs, states, constants, matmul):
        parts = iter(split(inputs, widths) if len(widths) > 1 else [inputs])
        inputs = tree.map_structure(lambda x: None if x is None else next(parts), sequences)
        return step(inputs, states, constants, matmul)

    if len(given) == 1:
        return given[0], split_step
    joined = ops.concatenate([ops.cast(each, given[0].dtype) for each in given], axis=-1)
    return joined, split_step


def _masked(step):
    """A step whose inputs end with one column more: 1 for time steps to keep, else 0."""

    def masked(inputs, states, constants, matmul):
        kept = inputs[:, -1] > 0

        def where_kept(new, old):
            shape = (-1, *(1 for _ in new.shape[1:]))
            return ops.where(ops.reshape(kept, shape), new, old)

        output, new_states = step(inputs[:, :-1], states, constants, matmul)
        return where_kept(output, ops.zeros_like(output)), [
            where_kept(new, old) for new, old in zip(new_states, states, strict=True)
        ]

    return masked


class _StepCell:
    """A step function as the cell of a `keras.layers.RNN`.

    All tensors of that loop have one dtype, the widest. The step gets inputs and states in the
    dtypes that they had before.
    """

    def __init__(self, step, states, dtypes):
        self.step = step
        self.state_size = [state.shape[-1] for state in states]
        self.dtypes = dtypes
        self.compute_dtype = keras.backend.result_type(*dtypes)

    def __call__(self, inputs, states):
        inputs, *states = map(ops.cast, (inputs, *states), self.dtypes)
        output, states = self.step(inputs, states)
        output, *states = (ops.cast(x, self.compute_dtype) for x in (output, *states))
        return output, states

    call = __call__
