"""The paper's equations in NumPy, one number at a time: what the layers are compared with."""

import keras
import numpy as np


def arrays_of(structure):
    """Tensors to NumPy arrays."""
    return keras.tree.map_structure(keras.ops.convert_to_numpy, structure)


def weights_by_name(layer):
    """float64 arrays of a layer's own weights."""
    return {
        weight.name: keras.ops.convert_to_numpy(weight).astype("float64")
        for weight in layer.weights
    }


def additive_attention(query, value, weights, key=None, value_mask=None):
    """Contexts and weights of appendix A.1.2, with e = v^T tanh(W [s; h]).

    Args:
        query: array of shape `(batch_size, query_length, query_dim)`.
        value: array of shape `(batch_size, value_length, value_dim)`.
        weights: dict of `query_kernel`, `key_kernel`, `scale` and perhaps `bias`.
        key: array of shape `(batch_size, value_length, key_dim)`, or `None` for `value`.
        value_mask: bool array of shape `(batch_size, value_length)`, or `None`.

    Returns:
        `(contexts, alphas)` of shapes `(batch_size, query_length, value_dim)` and
        `(batch_size, query_length, value_length)`.
    """
    key = value if key is None else key
    if value_mask is None:
        value_mask = np.ones(value.shape[:2], dtype=bool)
    matrix = np.concatenate([weights["query_kernel"], weights["key_kernel"]], axis=0)
    bias = weights.get("bias", 0.0)
    alphas = np.zeros((*query.shape[:2], value.shape[1]))
    for sentence, i in np.ndindex(*query.shape[:2]):
        kept = np.flatnonzero(value_mask[sentence])
        exponentials = {}
        for j in kept:
            both = np.concatenate([query[sentence, i], key[sentence, j]])
            exponentials[j] = np.exp(weights["scale"] @ np.tanh(both @ matrix + bias))
        for j in kept:
            alphas[sentence, i, j] = exponentials[j] / sum(exponentials.values())
    return np.einsum("bij,bjd->bid", alphas, value), alphas


def gru_step(inputs, state, weights):
    """One step of Keras's GRU (`reset_after=True`): gates in the order update, reset, candidate.

    Args:
        inputs: array of shape `(batch_size, input_dim)`.
        state: array of shape `(batch_size, units)`.
        weights: dict of `kernel`, `recurrent_kernel` and `bias`.

    Returns:
        Array of shape `(batch_size, units)`.
    """
    input_bias, recurrent_bias = weights["bias"]
    from_inputs = np.split(inputs @ weights["kernel"] + input_bias, 3, axis=-1)
    from_state = np.split(state @ weights["recurrent_kernel"] + recurrent_bias, 3, axis=-1)
    update = sigmoid(from_inputs[0] + from_state[0])
    reset = sigmoid(from_inputs[1] + from_state[1])
    candidate = np.tanh(from_inputs[2] + reset * from_state[2])
    return update * state + (1 - update) * candidate


def attentive_gru(inputs, memory, state, gru_weights, attention_weights, memory_mask=None):
    """The paper's decoder (appendix A.2.2): the state before the step is the query.

    Returns:
        `(outputs, contexts, alphas)`, each with `target_length` as its second dimension.
    """
    outputs, contexts, alphas = [], [], []
    for step_inputs in np.moveaxis(inputs, 1, 0):
        context, alpha = additive_attention(
            state[:, None], memory, attention_weights, value_mask=memory_mask
        )
        state = gru_step(np.concatenate([step_inputs, context[:, 0]], axis=-1), state, gru_weights)
        outputs.append(state)
        contexts.append(context[:, 0])
        alphas.append(alpha[:, 0])
    return tuple(np.stack(steps, axis=1) for steps in (outputs, contexts, alphas))


def sigmoid(values):
    return 1 / (1 + np.exp(-values))
