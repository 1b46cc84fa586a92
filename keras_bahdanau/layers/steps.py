"""The loop over time."""

import keras


def over_steps(step, sequence, states):
    """Calls `step` on each element of a sequence, each time with the states of the time before.

    What else a step needs (a memory, its keys, masks) it takes from where it was defined, so that
    nothing constant travels through the loop.

    Args:
        step: function of a tensor of shape `(batch_size, dim)` and a list of states; returns a
            tensor of shape `(batch_size, output_dim)` and the list of new states.
        sequence: tensor of shape `(batch_size, length, dim)`.
        states: list of tensors of shape `(batch_size, ...)`.

    Returns:
        `(outputs, states)`: a tensor of shape `(batch_size, length, output_dim)`, and the last
        states, all in the dtype of `sequence`.
    """
    if not states:
        # `keras.layers.RNN` has no loop without a state.
        states = [keras.ops.zeros_like(sequence[:, 0, :1])]
        outputs, _ = over_steps(lambda x, states: (step(x, [])[0], states), sequence, states)
        return outputs, []
    dtype = keras.backend.standardize_dtype(sequence.dtype)
    cell = _Step(step, states, dtype)
    if isinstance(sequence.shape[1], int) and sequence.shape[1] == 1:
        output, states = cell(sequence[:, 0], states)
        return keras.ops.expand_dims(output, 1), states
    loop = keras.layers.RNN(
        cell, return_sequences=True, return_state=True, name="loop", dtype=dtype
    )
    outputs, *states = loop(sequence, initial_state=list(states))
    return outputs, states


class _Step:
    """What `keras.layers.RNN` asks of a cell, around a function.

    All states and outputs of a loop have its dtype. What a step is made of may have another one:
    it gets each state in the dtype that the state came in.
    """

    def __init__(self, step, states, dtype):
        self.step = step
        self.state_size = [state.shape[-1] for state in states]
        self.state_dtypes = [state.dtype for state in states]
        self.compute_dtype = dtype

    def __call__(self, inputs, states):
        given = map(keras.ops.cast, states, self.state_dtypes)
        output, states = self.step(inputs, list(given))
        output, *states = (keras.ops.cast(x, self.compute_dtype) for x in (output, *states))
        return output, states

    call = __call__
