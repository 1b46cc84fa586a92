"""The loop over time."""

import keras

from keras_bahdanau.time_loop.packed_scan import over_running_rows


def over_steps(step, sequence, states, constants=(), mask=None, pack=False, factors=()):
    """Calls `step` on each element of a sequence, each time with the states of the time before.

    Args:
        step: function of a tensor of shape `(batch_size, dim)`, a list of states and the constants;
            returns a tensor of shape `(batch_size, output_dim)` and the list of new states.
        sequence: tensor of shape `(batch_size, length, dim)`.
        states: list of tensors of shape `(batch_size, ...)`.
        constants: structure of tensors of shape `(batch_size, ...)` and `None`, the same at every
            step. They do not travel through the loop.
        mask: bool tensor of shape `(batch_size, length)`, or `None` to keep all. Where it is False
            the output is zero and the states stay as they are.
        pack: with a mask, whether to compute (almost) nothing where it is False. Then a step gets
            only the rows that still run, from the longest to the shortest, so that all that it
            needs by row has to be among the constants. It has no effect on JAX.
        factors: list of what steps may multiply by with `product`, `Kernel`s and constants, whose
            gradients are deferred until after a loop that packs.

    Returns:
        `(outputs, states)`: a tensor of shape `(batch_size, length, output_dim)` in the dtype of
        `sequence`, and the last states, each in the dtype in which it came.
    """
    if not states:
        # `keras.layers.RNN` has no loop without a state.
        states = [keras.ops.zeros_like(sequence[:, 0, :1])]

        def stateless(inputs, states, constants):
            return step(inputs, [], constants)[0], states

        return over_steps(stateless, sequence, states, constants, mask, pack, factors)[0], []
    if mask is not None and pack and keras.backend.backend() != "jax":
        return over_running_rows(step, sequence, states, constants, mask, factors)
    if mask is not None:
        kept = keras.ops.expand_dims(keras.ops.cast(mask, sequence.dtype), -1)
        sequence, step = keras.ops.concatenate([sequence, kept], axis=-1), _masked(step)
    dtypes = [sequence.dtype, *(state.dtype for state in states)]
    cell = _Step(lambda inputs, states: step(inputs, states, constants), states, dtypes)
    # PyTorch has no loop but Python's, and `torch.compile` none for a layer made inside a call.
    if sequence.shape[1] == 1 or keras.backend.backend() == "torch":
        outputs = []
        for i in range(sequence.shape[1]):
            output, states = cell(sequence[:, i], states)
            outputs.append(output)
        outputs = keras.ops.stack(outputs, axis=1)
    else:
        loop = keras.layers.RNN(
            cell, return_sequences=True, return_state=True, name="loop", dtype=cell.compute_dtype
        )
        outputs, *states = loop(sequence, initial_state=list(states))
    outputs, *states = map(keras.ops.cast, (outputs, *states), dtypes)
    return outputs, states


def _masked(step):
    """A step whose inputs end with one that is 1 where they count, else 0."""

    def masked(inputs, states, constants):
        kept = inputs[:, -1] > 0

        def where_kept(new, old):
            shape = (-1, *(1 for _ in new.shape[1:]))
            return keras.ops.where(keras.ops.reshape(kept, shape), new, old)

        output, new_states = step(inputs[:, :-1], states, constants)
        return where_kept(output, keras.ops.zeros_like(output)), [
            where_kept(new, old) for new, old in zip(new_states, states, strict=True)
        ]

    return masked


class _Step:
    """What `keras.layers.RNN` asks of a cell, around a function.

    All that goes through its loop has one dtype, the widest. The function gets inputs and states
    in the dtypes that they had before.
    """

    def __init__(self, step, states, dtypes):
        self.step = step
        self.state_size = [state.shape[-1] for state in states]
        self.dtypes = dtypes
        self.compute_dtype = keras.backend.result_type(*dtypes)

    def __call__(self, inputs, states):
        inputs, *states = map(keras.ops.cast, (inputs, *states), self.dtypes)
        output, states = self.step(inputs, states)
        output, *states = (keras.ops.cast(x, self.compute_dtype) for x in (output, *states))
        return output, states

    call = __call__
