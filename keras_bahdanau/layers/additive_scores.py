"""The score of additive attention, in bounded memory."""

from keras import backend, ops

from keras_bahdanau.custom_gradient import with_gradient
from keras_bahdanau.layers.blocks import over_blocks


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
