"""The score of additive attention, v^T tanh(W_s s + W_h h), in bounded memory."""

from keras import backend, ops

from keras_bahdanau.backend.numerics import with_gradient

BLOCK_ELEMENTS = 2**20


def over_blocks(compute, by_query, by_sentence, pair_elements, written, summed, dtype):
    """Calls `compute` on blocks of sentences and of queries.

    Args:
        compute: function of two dicts, blocks of `by_query` and of `by_sentence`; returns a dict
            of what `written` and `summed` name.
        by_query: dict of tensors of shape `(batch_size, query_length, ...)`.
        by_sentence: dict of tensors of shape `(batch_size, ...)`.
        pair_elements: how many elements one query of one sentence makes.
        written: dict of names and shapes `...` of results that each query has for itself.
        summed: dict of names and shapes `...` of results that are summed over the queries.
        dtype: dtype of the results.

    Returns:
        dict of tensors, written ones of shape `(batch_size, query_length, ...)` and summed ones of
        shape `(batch_size, ...)`.
    """
    batch_size, query_length = ops.shape(next(iter(by_query.values())))[:2]
    if isinstance(query_length, int) and query_length == 1:
        # One step: what it makes is as large as the projected memory, which is there anyway.
        return compute(by_query, by_sentence)
    queries = _clip(BLOCK_ELEMENTS // pair_elements, query_length)
    sentences = _clip(BLOCK_ELEMENTS // (pair_elements * query_length), batch_size)
    sentence_blocks = -(-batch_size // sentences)

    def zeros(queries):
        shapes = {name: (sentences, queries, *shape) for name, shape in written.items()}
        shapes |= {name: (sentences, *shape) for name, shape in summed.items()}
        return {name: ops.zeros(shape, dtype=dtype) for name, shape in shapes.items()}

    def compute_sentences(by_query, by_sentence):
        if isinstance(queries, int) and isinstance(query_length, int) and queries == query_length:
            return compute(by_query, by_sentence)
        query_blocks = -(-query_length // queries)
        padded_length = query_blocks * queries
        by_query = {name: _pad(x, 1, padded_length - query_length) for name, x in by_query.items()}

        def step(start, results):
            block = {name: _block(tensor, start, queries) for name, tensor in by_query.items()}
            new = compute(block, by_sentence)
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

    if isinstance(sentence_blocks, int) and sentence_blocks == 1:
        return compute_sentences(by_query, by_sentence)
    missing = sentence_blocks * sentences - batch_size

    def split(tensor):
        tensor = _pad(tensor, 0, missing)
        return ops.reshape(tensor, (sentence_blocks, sentences, *ops.shape(tensor)[1:]))

    def join(tensor):
        tensor = ops.reshape(tensor, (sentence_blocks * sentences, *ops.shape(tensor)[2:]))
        return tensor[:batch_size]

    groups = tuple(
        {name: split(tensor) for name, tensor in group.items()} for group in (by_query, by_sentence)
    )

    def step(_, index):
        results = compute_sentences(
            *({name: ops.take(x, index, axis=0) for name, x in group.items()} for group in groups)
        )
        return results, results

    # Not `ops.map`: TensorFlow would have ten blocks in memory at once.
    _, results = ops.scan(step, zeros(query_length), ops.arange(sentence_blocks))
    return {name: join(tensor) for name, tensor in results.items()}


def _block(tensor, start, queries):
    batch_size, _, *rest = ops.shape(tensor)
    return ops.slice(tensor, (0, start, *(0 for _ in rest)), (batch_size, queries, *rest))


def _write(tensor, start, block):
    return ops.slice_update(tensor, (0, start, *(0 for _ in tensor.shape[2:])), block)


def _after(number, tensors):
    # TensorFlow would begin the next blocks before this one is done, and hold all of them, did
    # their number not hang on its result: nothing is greater than infinity.
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


def additive_scores(
    query, keys, scale, features=None, feature_kernel=None, deviation=None, offset=None
):
    """Scores every memory position against every query: a feed-forward net over each pair.

        e_ij = sum_u v_u tanh(d_ij (q_iu + k_ju + sum_f F_ijf U_fu) + o_u)

    Without the options it is v^T tanh(q_i + k_j). Written down with tensor operations, and worse
    with their gradients, this holds several tensors of shape `(batch_size, query_length,
    value_length, units)`. Here the forward pass works in blocks and keeps nothing but its
    arguments, and the backward pass computes the tanh of each block once more. So the peak of
    memory grows with `batch_size * query_length * value_length` but not with `units`. (Gradients
    of these gradients are not defined.)

    Args:
        query: tensor of shape `(batch_size, query_length, units)`, projected: q.
        keys: tensor of shape `(batch_size, value_length, units)`, projected: k.
        scale: tensor of shape `(units,)`: v.
        features: tensor of shape `(batch_size, query_length, value_length, filters)`, features of
            the pairs themselves, or `None`: F.
        feature_kernel: tensor of shape `(filters, units)`, given with `features`: U.
        deviation: tensor of shape `(batch_size, query_length, value_length)`, a factor for each
            pair (layer normalization has one), or `None`: d.
        offset: tensor of shape `(units,)`, given with `deviation`: o.

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
        "deviation": deviation,
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


def _scores(given):
    def compute(by_query, by_sentence):
        hidden, _ = _hidden({**given, **by_query, **by_sentence})
        return {"scores": _dot(hidden, _wide(given["scale"]))}

    value_length = ops.shape(given["keys"])[1]
    return _blockwise(compute, given, written={"scores": (value_length,)})["scores"]


def _gradients(given, upstream):
    """dict of the gradients of all tensors in `given`."""
    scale = _wide(given["scale"])
    # In a loop over time TensorFlow would compute the tanh of many steps before their gradients
    # arrive, and hold all of them, did it not hang on these: nothing is greater than infinity.
    impossible = ops.any(upstream > float("inf"))
    given = {**given, "query": given["query"] + ops.cast(impossible, given["query"].dtype)}

    def compute(by_query, by_sentence):
        block = {**given, **by_query, **by_sentence}
        hidden, inner = _hidden(block)
        upstream = block["upstream"]
        weighted = ops.expand_dims(upstream, -1) * hidden
        found = {"scale": ops.sum(_sum_of_queries(weighted), axis=1)}
        # upstream * (1 - tanh^2) is the gradient of the tanh's argument, but for the factor v_u,
        # which comes after the sums.
        squared = weighted * hidden
        if "deviation" not in given and "features" not in given:
            total = ops.expand_dims(ops.sum(upstream, axis=2), -1)
            found["query"] = scale * (total - ops.sum(squared, axis=2))
            total = ops.expand_dims(_sum_of_queries(upstream), -1)
            found["keys"] = scale * (total - _sum_of_queries(squared))
            return found
        of_inner = ops.expand_dims(upstream, -1) - squared
        if "deviation" in given:
            found["offset"] = ops.sum(of_inner, axis=(1, 2)) * scale
            found["deviation"] = _dot(of_inner * inner, scale)
            of_inner = of_inner * _wide(ops.expand_dims(block["deviation"], -1))
        found["query"] = ops.sum(of_inner, axis=2) * scale
        found["keys"] = _sum_of_queries(of_inner) * scale
        if "features" in given:
            kernel = scale * _wide(given["feature_kernel"])
            found["features"] = ops.matmul(of_inner, ops.transpose(kernel))
            found["feature_kernel"] = scale * ops.einsum(
                "bijf,biju->bfu", _wide(block["features"]), of_inner
            )
        return found

    shapes = {name: ops.shape(tensor) for name, tensor in given.items()}
    found = _blockwise(
        compute,
        {**given, "upstream": upstream},
        written={name: shapes[name][2:] for name in _BY_QUERY if name in given},
        summed={
            "keys": shapes["keys"][1:],
            **{name: shapes[name] for name in _OF_ALL if name in given},
        },
    )
    return {
        name: ops.sum(gradient, axis=0) if name in _OF_ALL else gradient
        for name, gradient in found.items()
    }


_BY_QUERY = ("query", "features", "deviation")
_OF_ALL = ("scale", "offset", "feature_kernel")


def _blockwise(compute, given, written, summed=None):
    by_query = {name: given[name] for name in (*_BY_QUERY, "upstream") if name in given}
    _, value_length, units = ops.shape(given["keys"])
    return over_blocks(
        compute,
        by_query,
        by_sentence={"keys": given["keys"]},
        pair_elements=value_length * units,
        written=written,
        summed=summed or {},
        dtype=_wide(given["scale"]).dtype,
    )


def _hidden(block):
    """The tanh of every pair, and its argument before factor and offset."""
    inner = ops.expand_dims(block["query"], 2) + ops.expand_dims(block["keys"], 1)
    if "features" in block:
        inner = inner + ops.matmul(block["features"], block["feature_kernel"])
    if "deviation" not in block:
        return _wide(ops.tanh(inner)), None
    inner = _wide(inner)
    deviation = _wide(ops.expand_dims(block["deviation"], -1))
    return ops.tanh(deviation * inner + _wide(block["offset"])), inner


def _sum_of_queries(tensor):
    return tensor[:, 0] if tensor.shape[1] == 1 else ops.sum(tensor, axis=1)


def _dot(hidden, scale):
    shape = ops.shape(hidden)
    product = ops.matmul(ops.reshape(hidden, (-1, shape[-1])), ops.expand_dims(scale, 1))
    return ops.reshape(product, shape[:-1])


def _wide(tensor):
    """float32 for half precision, in which scores of many units would overflow."""
    if backend.standardize_dtype(tensor.dtype) in ("float16", "bfloat16"):
        return ops.cast(tensor, "float32")
    return tensor


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
