"""The score of additive attention, v^T tanh(W_s s + W_h h), in bounded memory.

`additive_scores` is the equation with a custom gradient: forward and backward pass go over chunks
of the batch and of the queries (`over_chunks`), and the backward pass computes the tanh of each
chunk again instead of keeping it. `normalized_pairs` is the layer normalization inside the tanh.
"""

from keras import backend, ops

from keras_bahdanau.backend.numerics import float32_at_least, with_gradient

# Maximum number of elements in the tanh of one chunk.
CHUNK_ELEMENTS = 2**20


def additive_scores(
    query, keys, scale, features=None, feature_kernel=None, inverse_std=None, offset=None
):
    """Scores every memory position against every query: a feed-forward net over each pair.

        e_ij = sum_u v_u tanh(d_ij (q_iu + k_ju + sum_f F_ijf U_fu) + o_u)

    Without the options it is v^T tanh(q_i + k_j). As plain tensor operations this and its gradients
    hold several tensors of shape `(batch_size, query_length, value_length, units)`. Here the
    forward pass works in chunks and keeps nothing but its arguments, and the backward pass computes
    the tanh of each chunk again. So peak memory grows with `batch_size * query_length *
    value_length` but not with `units`. (Gradients of these gradients are not defined.)

    Args:
        query: tensor of shape `(batch_size, query_length, units)`, projected: q.
        keys: tensor of shape `(batch_size, value_length, units)`, projected: k.
        scale: tensor of shape `(units,)`: v.
        features: tensor of shape `(batch_size, query_length, value_length, filters)`, features of
            the pairs themselves, or `None`: F.
        feature_kernel: tensor of shape `(filters, units)`, given with `features`: U.
        inverse_std: tensor of shape `(batch_size, query_length, value_length)`, a factor for each
            pair (layer normalization has one), or `None`: d.
        offset: tensor of shape `(units,)`, given with `inverse_std`: o.

    Returns:
        Tensor of shape `(batch_size, query_length, value_length)`, float32 where the arguments are
        of half precision.
    """
    arguments = {
        "query": query,
        "keys": keys,
        "scale": scale,
        "features": features,
        "feature_kernel": feature_kernel,
        "inverse_std": inverse_std,
        "offset": offset,
    }
    names = [name for name, tensor in arguments.items() if tensor is not None]

    def scores(*tensors):
        given = dict(zip(names, tensors, strict=True))

        def gradients(upstream):
            found = _gradients(given, upstream)
            return [found[name] for name in names]

        return _scores(given), gradients

    return with_gradient(scores, *(arguments[name] for name in names))


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
        dict like `pairs`, with `inverse_std` and `offset`.
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
        "inverse_std": ops.rsqrt(variance + epsilon),
        "offset": ops.cast(beta, dtype),
    }


# Arguments with a part for each query, and those that all pairs share. (`keys` have one for each
# example of the batch.)
_BY_QUERY = ("query", "features", "inverse_std")
_SHARED = ("scale", "offset", "feature_kernel")


def _scores(given):
    """The forward pass: `given` is a dict of the arguments of `additive_scores`."""

    def compute(by_query, by_example):
        hidden, _ = _hidden({**given, **by_query, **by_example})
        return {"scores": _dot(hidden, float32_at_least(given["scale"]))}

    value_length = ops.shape(given["keys"])[1]
    return _chunkwise(compute, given, written={"scores": (value_length,)})["scores"]


def _gradients(given, upstream):
    """The backward pass: a dict of the gradients of all tensors in `given`."""
    scale = float32_at_least(given["scale"])
    # A data dependency of the tanh on the upstream gradients, which changes no value: without it
    # TensorFlow, in a loop over time, computes the tanh of many steps in advance and holds them.
    never = ops.any(upstream > float("inf"))
    given = {**given, "query": given["query"] + ops.cast(never, given["query"].dtype)}

    def compute(by_query, by_example):
        chunk = {**given, **by_query, **by_example}
        hidden, inner = _hidden(chunk)
        upstream = chunk["upstream"]
        weighted = ops.expand_dims(upstream, -1) * hidden
        found = {"scale": ops.sum(_sum_over_queries(weighted), axis=1)}
        # upstream * (1 - tanh^2) is the gradient of the tanh's argument without the factor v_u,
        # which is applied after the sums.
        squared = weighted * hidden
        if "inverse_std" not in given and "features" not in given:
            total = ops.expand_dims(ops.sum(upstream, axis=2), -1)
            found["query"] = scale * (total - ops.sum(squared, axis=2))
            total = ops.expand_dims(_sum_over_queries(upstream), -1)
            found["keys"] = scale * (total - _sum_over_queries(squared))
            return found
        of_inner = ops.expand_dims(upstream, -1) - squared
        if "inverse_std" in given:
            found["offset"] = ops.sum(of_inner, axis=(1, 2)) * scale
            found["inverse_std"] = _dot(of_inner * inner, scale)
            of_inner = of_inner * float32_at_least(ops.expand_dims(chunk["inverse_std"], -1))
        found["query"] = ops.sum(of_inner, axis=2) * scale
        found["keys"] = _sum_over_queries(of_inner) * scale
        if "features" in given:
            kernel = scale * float32_at_least(given["feature_kernel"])
            found["features"] = ops.matmul(of_inner, ops.transpose(kernel))
            found["feature_kernel"] = scale * ops.einsum(
                "bijf,biju->bfu", float32_at_least(chunk["features"]), of_inner
            )
        return found

    shapes = {name: ops.shape(tensor) for name, tensor in given.items()}
    found = _chunkwise(
        compute,
        {**given, "upstream": upstream},
        written={name: shapes[name][2:] for name in _BY_QUERY if name in given},
        summed={
            "keys": shapes["keys"][1:],
            **{name: shapes[name] for name in _SHARED if name in given},
        },
    )
    return {
        name: ops.sum(gradient, axis=0) if name in _SHARED else gradient
        for name, gradient in found.items()
    }


def _chunkwise(compute, given, written, summed=None):
    by_query = {name: given[name] for name in (*_BY_QUERY, "upstream") if name in given}
    _, value_length, units = ops.shape(given["keys"])
    return over_chunks(
        compute,
        by_query,
        by_example={"keys": given["keys"]},
        pair_elements=value_length * units,
        written=written,
        summed=summed or {},
        dtype=float32_at_least(given["scale"]).dtype,
    )


def _hidden(chunk):
    """The tanh of every pair of the chunk, and its argument before factor and offset."""
    inner = ops.expand_dims(chunk["query"], 2) + ops.expand_dims(chunk["keys"], 1)
    if "features" in chunk:
        inner = inner + ops.matmul(chunk["features"], chunk["feature_kernel"])
    if "inverse_std" not in chunk:
        return float32_at_least(ops.tanh(inner)), None
    inner = float32_at_least(inner)
    inverse_std = float32_at_least(ops.expand_dims(chunk["inverse_std"], -1))
    return ops.tanh(inverse_std * inner + float32_at_least(chunk["offset"])), inner


def _sum_over_queries(tensor):
    return tensor[:, 0] if tensor.shape[1] == 1 else ops.sum(tensor, axis=1)


def _dot(hidden, scale):
    shape = ops.shape(hidden)
    product = ops.matmul(ops.reshape(hidden, (-1, shape[-1])), ops.expand_dims(scale, 1))
    return ops.reshape(product, shape[:-1])


def over_chunks(compute, by_query, by_example, pair_elements, written, summed, dtype):
    """Calls `compute` on chunks of a batch: some examples with all their queries, or one example
    with some of its queries.

    Args:
        compute: function of two dicts, chunks of `by_query` and of `by_example`; returns a dict
            of what `written` and `summed` name.
        by_query: dict of tensors of shape `(batch_size, query_length, ...)`.
        by_example: dict of tensors of shape `(batch_size, ...)`.
        pair_elements: how many elements one query of one example makes.
        written: dict of names and shapes `...` of results that each query has.
        summed: dict of names and shapes `...` of results that are summed over the queries.
        dtype: dtype of the results.

    Returns:
        dict of tensors, written ones of shape `(batch_size, query_length, ...)` and summed ones of
        shape `(batch_size, ...)`.
    """
    batch_size, query_length = ops.shape(next(iter(by_query.values())))[:2]
    if isinstance(query_length, int) and query_length == 1:
        # One step: its tanh is as large as the projected memory, which is in memory anyway.
        return compute(by_query, by_example)
    queries = _clip(CHUNK_ELEMENTS // pair_elements, query_length)
    examples = _clip(CHUNK_ELEMENTS // (pair_elements * query_length), batch_size)
    example_chunks = -(-batch_size // examples)

    def zeros(queries):
        shapes = {name: (examples, queries, *shape) for name, shape in written.items()}
        shapes |= {name: (examples, *shape) for name, shape in summed.items()}
        return {name: ops.zeros(shape, dtype=dtype) for name, shape in shapes.items()}

    def compute_examples(by_query, by_example):
        if isinstance(queries, int) and isinstance(query_length, int) and queries == query_length:
            return compute(by_query, by_example)
        query_chunks = -(-query_length // queries)
        padded_length = query_chunks * queries
        by_query = {name: _pad(x, 1, padded_length - query_length) for name, x in by_query.items()}

        def step(start, results):
            chunk = {name: _slice(tensor, start, queries) for name, tensor in by_query.items()}
            new = compute(chunk, by_example)
            results = {
                name: _write(result, start, new[name]) if name in written else result + new[name]
                for name, result in results.items()
            }
            return _after(start + queries, new), results

        _, results = ops.while_loop(
            lambda start, results: start < query_length,
            step,
            (0, zeros(padded_length)),
        )
        return {name: x[:, :query_length] if name in written else x for name, x in results.items()}

    if isinstance(example_chunks, int) and example_chunks == 1:
        return compute_examples(by_query, by_example)
    missing = example_chunks * examples - batch_size

    def split(tensor):
        tensor = _pad(tensor, 0, missing)
        return ops.reshape(tensor, (example_chunks, examples, *ops.shape(tensor)[1:]))

    def join(tensor):
        tensor = ops.reshape(tensor, (example_chunks * examples, *ops.shape(tensor)[2:]))
        return tensor[:batch_size]

    groups = tuple(
        {name: split(tensor) for name, tensor in group.items()} for group in (by_query, by_example)
    )

    def step(_, index):
        results = compute_examples(
            *({name: ops.take(x, index, axis=0) for name, x in group.items()} for group in groups)
        )
        return results, results

    # Not `ops.map`: TensorFlow would hold ten chunks in memory at once.
    _, results = ops.scan(step, zeros(query_length), ops.arange(example_chunks))
    return {name: join(tensor) for name, tensor in results.items()}


def _slice(tensor, start, queries):
    batch_size, _, *rest = ops.shape(tensor)
    return ops.slice(tensor, (0, start, *(0 for _ in rest)), (batch_size, queries, *rest))


def _write(tensor, start, chunk):
    return ops.slice_update(tensor, (0, start, *(0 for _ in tensor.shape[2:])), chunk)


def _after(number, tensors):
    # The next chunk's start depends on this one's result, though never in its value: otherwise
    # TensorFlow begins the next chunks before this one is done, and holds all of them.
    last = ops.reshape(next(iter(tensors.values())), (-1,))[-1]
    return number + ops.cast(last > float("inf"), "int32")


def _clip(number, most):
    if isinstance(number, int) and isinstance(most, int):
        return max(1, min(number, most))
    return ops.maximum(1, ops.minimum(number, most))


def _pad(tensor, axis, length):
    if isinstance(length, int) and length == 0:
        return tensor
    widths = [(0, 0)] * len(tensor.shape)
    widths[axis] = (0, length)
    return ops.pad(tensor, widths)
