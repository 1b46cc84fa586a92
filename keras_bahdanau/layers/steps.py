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
        `(outputs, states)`: a tensor of shape `(batch_size, length, output_dim)` in the dtype of
        `sequence`, and the last states, each in the dtype in which it came.
    """
    if not states:
        # `keras.layers.RNN` has no loop without a state.
        states = [keras.ops.zeros_like(sequence[:, 0, :1])]
        outputs, _ = over_steps(lambda x, states: (step(x, [])[0], states), sequence, states)
        return outputs, []
    dtypes = [sequence.dtype, *(state.dtype for state in states)]
    cell = _Step(step, states, dtypes)
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
