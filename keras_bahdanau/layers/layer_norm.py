"""Layer normalization of what is inside the tanh, without holding it.

The argument of the tanh is a sum: of the projected query, the projected memory and perhaps
projected features. Its mean over the units is the sum of their means, and its variance comes from
scalar products, so both are known for every pair without a tensor of shape `(batch_size,
query_length, value_length, units)`.
"""

from keras import backend, ops


def normalized_pairs(pairs, gamma, beta, epsilon=1e-3):
    """Arguments of `additive_scores` for the layer normalization of the sum.

    LN(x) = gamma (x - mean(x)) / sqrt(variance(x) + epsilon) + beta, over the units (Ba, Kiros and
    Hinton 2016, https://arxiv.org/abs/1607.06450, equation 3).

    Args:
        pairs: dict of `query`, a tensor of shape `(batch_size, query_length, units)`, `keys`, of
            shape `(batch_size, value_length, units)`, and perhaps `features` and `feature_kernel`
            as in `additive_scores`.
        gamma: tensor of shape `(units,)`.
        beta: tensor of shape `(units,)`.
        epsilon: positive number, that of `keras.layers.LayerNormalization`.

    Returns:
        dict like `pairs`, with `deviation` and `offset`.
    """
    dtype = backend.result_type(pairs["query"].dtype, "float32")
    pairs = {name: ops.cast(tensor, dtype) for name, tensor in pairs.items()}
    centered = {
        name: tensor if name == "features" else tensor - ops.mean(tensor, axis=-1, keepdims=True)
        for name, tensor in pairs.items()
    }
    query, keys = centered["query"], centered["keys"]
    squares = (
        ops.expand_dims(ops.sum(query * query, axis=-1), 2)
        + ops.expand_dims(ops.sum(keys * keys, axis=-1), 1)
        + 2 * ops.matmul(query, ops.transpose(keys, (0, 2, 1)))
    )
    if "features" in pairs:
        features, kernel = pairs["features"], centered["feature_kernel"]
        of_both = ops.expand_dims(ops.matmul(query, ops.transpose(kernel)), 2) + ops.expand_dims(
            ops.matmul(keys, ops.transpose(kernel)), 1
        )
        of_features = ops.matmul(features, ops.matmul(kernel, ops.transpose(kernel)))
        squares = squares + ops.sum(features * (of_features + 2 * of_both), axis=-1)
    # A variance of nearly zero may come out below it.
    variance = ops.maximum(squares / query.shape[-1], 0)
    gamma = ops.cast(gamma, dtype)
    return {
        **{
            name: tensor if name == "features" else gamma * tensor
            for name, tensor in centered.items()
        },
        "deviation": ops.rsqrt(variance + epsilon),
        "offset": ops.cast(beta, dtype),
    }
