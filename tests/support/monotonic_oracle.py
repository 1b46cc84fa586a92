"""Monotonic and monotonic chunkwise attention in NumPy, one number at a time, and gradients."""

import keras
import numpy as np
from attention_oracle import sigmoid


def expected_alignment(probabilities, previous):
    """Equations 13 and 14 of Raffel et al. (2017), for one sentence.

    Args:
        probabilities: array of shape `(value_length,)`: p_i.
        previous: array of shape `(value_length,)`: alpha_i-1.

    Returns:
        Array of shape `(value_length,)`: alpha_i.
    """
    alpha = np.zeros(len(probabilities))
    q = 0.0
    for j in range(len(probabilities)):
        passed = 1 - probabilities[j - 1] if j > 0 else 0.0
        q = passed * q + previous[j]
        alpha[j] = probabilities[j] * q
    return alpha


def enumerated_alignment(probabilities, previous):
    """Equation 9: the sum over all positions k from which the attention can have come."""
    alpha = np.zeros(len(probabilities))
    for j in range(len(probabilities)):
        for k in range(j + 1):
            passed = 1.0
            for position in range(k, j):
                passed *= 1 - probabilities[position]
            alpha[j] += probabilities[j] * previous[k] * passed
    return alpha


def hard_positions(choices):
    """The hard monotonic attention process (section 2.2), for one sentence.

    Args:
        choices: bool array of shape `(query_length, value_length)`: whether a step that comes to
            a position chooses it.

    Returns:
        list of the chosen positions; `None` from the first step on that chooses none.
    """
    position, positions = 0, []
    for choice in choices:
        while position is not None and not choice[position]:
            position = position + 1 if position + 1 < len(choice) else None
        positions.append(position)
        if position is None:
            return positions + [None] * (len(choices) - len(positions))
    return positions


def chunk_weights(alpha, scores, chunk_size, mask=None):
    """beta of Chiu and Raffel (2018), for one sentence: the double sum over chunks and members."""
    length = len(alpha)
    kept = np.ones(length, dtype=bool) if mask is None else mask
    beta = np.zeros(length)
    for j in range(length):
        for k in range(j, min(j + chunk_size, length)):
            members = [m for m in range(max(k - chunk_size + 1, 0), k + 1) if kept[m]]
            if alpha[k] and j in members:
                exponentials = [np.exp(scores[m] - max(scores[members])) for m in members]
                beta[j] += alpha[k] * exponentials[members.index(j)] / sum(exponentials)
    return beta


def energies(layer, query, key):
    """Scores of every pair: v^T tanh(W_s s + W_h h + b), normalized where the layer has a gain.

    Returns:
        Array of shape `(batch_size, query_length, value_length)`.
    """
    names = ("query_kernel", "key_kernel", "scale", "bias", "gain", "score_bias")
    variables = {name: getattr(layer, name, None) for name in names}
    weights = {name: as_array(weight) for name, weight in variables.items() if weight is not None}
    scale = weights["scale"]
    if "gain" in weights:
        scale = weights["gain"] * scale / np.sqrt(np.sum(scale**2))
    found = np.zeros((query.shape[0], query.shape[1], key.shape[1]))
    for sentence, i, j in np.ndindex(*found.shape):
        inner = query[sentence, i] @ weights["query_kernel"]
        inner = inner + key[sentence, j] @ weights["key_kernel"] + weights.get("bias", 0.0)
        found[sentence, i, j] = scale @ np.tanh(inner)
    return found + weights.get("score_bias", 0.0)


def monotonic_attention(layer, query, value, key=None, value_mask=None, mode="recursive"):
    """Weights alpha of all steps, of shape `(batch_size, query_length, value_length)`."""
    scores = energies(layer, query, value if key is None else key)
    mask = np.ones(value.shape[:2], dtype=bool) if value_mask is None else value_mask
    alphas = np.zeros(scores.shape)
    for sentence in range(len(scores)):
        if mode == "hard":
            positions = hard_positions((scores[sentence] > 0) & mask[sentence])
            for i, position in enumerate(positions):
                if position is not None:
                    alphas[sentence, i, position] = 1.0
            continue
        alpha = np.eye(value.shape[1])[0]
        for i in range(query.shape[1]):
            alpha = expected_alignment(sigmoid(scores[sentence, i]) * mask[sentence], alpha)
            alphas[sentence, i] = alpha
    return alphas


def monotonic_chunkwise_attention(layer, query, value, value_mask=None, mode="recursive"):
    """Weights beta of all steps, of shape `(batch_size, query_length, value_length)`."""
    alphas = monotonic_attention(layer, query, value, value_mask=value_mask, mode=mode)
    scores = energies(layer.chunk_attention, query, value)
    betas = np.zeros(alphas.shape)
    for sentence, i in np.ndindex(*alphas.shape[:2]):
        mask = None if value_mask is None else value_mask[sentence]
        betas[sentence, i] = chunk_weights(
            alphas[sentence, i], scores[sentence, i], layer.chunk_size, mask
        )
    return betas


def as_array(tensor):
    return keras.ops.convert_to_numpy(tensor).astype("float64")


class Probed(keras.Model):
    """The sum over `probe * function(*arrays)`, with the arrays as weights."""

    def __init__(self, function, arrays, probe):
        super().__init__()
        self.function, self.probe = function, probe
        self.arrays = [self.add_weight(shape=array.shape) for array in arrays]
        for weight, array in zip(self.arrays, arrays, strict=True):
            weight.assign(array)

    def call(self, inputs):
        result = self.function(*(keras.ops.convert_to_tensor(array) for array in self.arrays))
        return keras.ops.sum(keras.ops.multiply(self.probe, result)) + 0.0 * inputs


def gradients(function, *arrays, probe):
    """Gradients of the sum over `probe * function(*arrays)`, as a training step finds them."""
    model = Probed(function, arrays, probe.astype("float32"))
    # Each weight moves by its gradient.
    model.compile(
        keras.optimizers.SGD(1.0), lambda _, result: keras.ops.sum(result), run_eagerly=True
    )
    model.train_on_batch(np.zeros((1, 1)), np.zeros((1, 1)))
    return [before - as_array(after) for before, after in zip(arrays, model.arrays, strict=True)]


def numeric_gradients(function, *arrays, probe):
    """The same from differences, for a function of float64 arrays."""
    found = []
    for which, array in enumerate(arrays):
        gradient = np.zeros(array.shape)
        for index in np.ndindex(*array.shape):
            sums = []
            for offset in (1e-6, -1e-6):
                moved = [other.astype("float64") for other in arrays]
                moved[which][index] += offset
                sums.append(np.sum(probe * function(*moved)))
            gradient[index] = (sums[0] - sums[1]) / 2e-6
        found.append(gradient)
    return found
