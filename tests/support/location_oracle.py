"""The location-sensitive attention of Chorowski et al. (2015) in NumPy, one number at a time."""

import numpy as np


def location_attention(
    query,
    value,
    weights,
    features="cumulative",
    window=None,
    smoothing=False,
    value_mask=None,
    temperature=1.0,
):
    """Contexts and weights of the paper's section 2.2.

    Args:
        query: array of shape `(batch_size, query_length, query_dim)`.
        value: array of shape `(batch_size, value_length, value_dim)`.
        weights: dict of `query_kernel`, `key_kernel`, `scale`, `location_filters`,
            `location_kernel` and perhaps `bias`.
        features: `"cumulative"`, `"previous"` or `"both"` (the previous weights first).
        window: `(back, ahead)` or `None`.
        smoothing: whether sigmoids take the place of exponentials (section 2.3).
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
        for i in range(query_length):
            history = alphas[sentence, :i]
            previous = history[-1] if i else np.zeros(length)
            channels = {
                "cumulative": [history.sum(0)],
                "previous": [previous],
                "both": [previous, history.sum(0)],
            }[features]
            kept = _kept_positions(value_mask[sentence], previous, window)
            energies = {}
            for j in kept:
                found = location_features(channels, j, weights["location_filters"])
                hidden = np.tanh(
                    query[sentence, i] @ weights["query_kernel"]
                    + value[sentence, j] @ weights["key_kernel"]
                    + found @ weights["location_kernel"]
                    + weights.get("bias", 0.0)
                )
                score = weights["scale"] @ hidden / temperature
                energies[j] = 1 / (1 + np.exp(-score)) if smoothing else np.exp(score)
            for j in kept:
                alphas[sentence, i, j] = energies[j] / sum(energies.values())
    return np.einsum("bij,bjd->bid", alphas, value), alphas


def location_features(channels, position, filters):
    """f_ij: what each filter finds around a position, with zeros beyond both ends."""
    found = np.zeros(filters.shape[-1])
    # An even filter sees one position more after its own than before it.
    first = position - (filters.shape[0] - 1) // 2
    for offset, channel, number in np.ndindex(*filters.shape):
        if 0 <= first + offset < len(channels[channel]):
            found[number] += filters[offset, channel, number] * channels[channel][first + offset]
    return found


def _kept_positions(mask, previous, window):
    kept = [j for j in range(len(mask)) if mask[j]]
    if window is None:
        return kept
    center = 0
    for j in range(len(mask)):
        if previous[j] > previous[center]:
            center = j
    inside = [j for j in kept if center - window[0] <= j <= center + window[1]]
    return inside or kept
