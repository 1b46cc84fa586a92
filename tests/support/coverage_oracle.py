"""Coverage after Tu et al. (2016) and See et al. (2017) in NumPy, one number at a time."""

import numpy as np


def coverage_attention(query, value, weights, fertility=None, value_mask=None, temperature=1.0):
    """Contexts and weights of See et al., equations 10 and 11; of Tu et al. with `fertility`.

    Args:
        query: array of shape `(batch_size, query_length, query_dim)`.
        value: array of shape `(batch_size, value_length, value_dim)`.
        weights: dict of `query_kernel`, `key_kernel`, `scale`, `coverage_kernel` and perhaps
            `bias` and `fertility_kernel`.
        fertility: N of Tu et al., or `None`.
        value_mask: bool array of shape `(batch_size, value_length)`, or `None`.
        temperature: number by which scores are divided.

    Returns:
        `(contexts, alphas)` of shapes `(batch_size, query_length, value_dim)` and
        `(batch_size, query_length, value_length)`.
    """
    batch_size, query_length, _ = query.shape
    length = value.shape[1]
    if value_mask is None:
        value_mask = np.ones((batch_size, length), dtype=bool)
    alphas = np.zeros((batch_size, query_length, length))
    for sentence in range(batch_size):
        kept = np.flatnonzero(value_mask[sentence])
        coverage = np.zeros(length)
        for i in range(query_length):
            exponentials = {}
            for j in kept:
                hidden = np.tanh(
                    query[sentence, i] @ weights["query_kernel"]
                    + value[sentence, j] @ weights["key_kernel"]
                    + coverage[j] * weights["coverage_kernel"][0]
                    + weights.get("bias", 0.0)
                )
                exponentials[j] = np.exp(weights["scale"] @ hidden / temperature)
            for j in kept:
                alphas[sentence, i, j] = exponentials[j] / sum(exponentials.values())
                phi = 1.0
                if fertility is not None:
                    projected = value[sentence, j] @ weights["fertility_kernel"][:, 0]
                    phi = fertility / (1 + np.exp(-projected))
                coverage[j] += alphas[sentence, i, j] / phi
    return np.einsum("bij,bjd->bid", alphas, value), alphas


def coverage_losses(alphas, query_mask=None):
    """The loss of each step (See et al., equation 12); masked steps neither lose nor cover."""
    losses = np.zeros(alphas.shape[:2])
    for sentence, (history, step_losses) in enumerate(zip(alphas, losses, strict=True)):
        coverage = [0.0] * alphas.shape[2]
        for t, step in enumerate(history):
            if query_mask is not None and not query_mask[sentence, t]:
                continue
            for j, alpha in enumerate(step):
                step_losses[t] += min(alpha, coverage[j])
                coverage[j] += alpha
    return losses
