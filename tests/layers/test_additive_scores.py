import keras
import numpy as np
import pytest
from keras import ops
from on_backend import BEST, PRECISIONS, cases, value_and_gradients

from keras_bahdanau.layers.additive_scores import additive_scores

BATCH_SIZE, QUERY_LENGTH, VALUE_LENGTH, UNITS, FILTERS = 5, 7, 3, 4, 2
SHAPES = {
    "query": (BATCH_SIZE, QUERY_LENGTH, UNITS),
    "keys": (BATCH_SIZE, VALUE_LENGTH, UNITS),
    "scale": (UNITS,),
    "features": (BATCH_SIZE, QUERY_LENGTH, VALUE_LENGTH, FILTERS),
    "feature_kernel": (FILTERS, UNITS),
    "deviation": (BATCH_SIZE, QUERY_LENGTH, VALUE_LENGTH),
    "offset": (UNITS,),
}
PLAIN = ("query", "keys", "scale")
OPTIONS = {
    "plain": PLAIN,
    "features": (*PLAIN, "features", "feature_kernel"),
    "normalized": (*PLAIN, "deviation", "offset"),
    "all": tuple(SHAPES),
}
# One query of one sentence makes 12 elements, one sentence 84.
MODULE = "keras_bahdanau.layers.additive_scores"
BLOCK_ELEMENTS = {
    "one block": 2**20,
    "two sentences, and one left over": 200,
    "three queries, and one left over": 40,
    "one query": 1,
}


def random_arrays(names, dtype="float64", **lengths):
    generator = np.random.default_rng(4)
    shapes = dict(SHAPES)
    if lengths.get("query_length") == 1:
        shapes["query"] = (BATCH_SIZE, 1, UNITS)
        shapes["features"] = (BATCH_SIZE, 1, VALUE_LENGTH, FILTERS)
        shapes["deviation"] = (BATCH_SIZE, 1, VALUE_LENGTH)
    return [generator.normal(size=shapes[name]).astype(dtype) for name in names]


def naive_scores(
    query, keys, scale, features=None, feature_kernel=None, deviation=None, offset=None
):
    """The equation as it is written, with all pairs and units at once."""
    inner = query[:, :, None] + keys[:, None]
    if features is not None:
        inner = inner + ops.matmul(features, feature_kernel)
    if deviation is not None:
        inner = deviation[..., None] * inner + offset
    return ops.sum(scale * ops.tanh(inner), axis=-1)


def loss_of(scores, names, upstream):
    def loss(*tensors):
        result = scores(**dict(zip(names, tensors, strict=True)))
        # Not linear in the scores, so that what comes from upstream hangs on them.
        return ops.sum(ops.cast(upstream, result.dtype) * result * result)

    return loss


@pytest.mark.parametrize("query_length", [QUERY_LENGTH, 1])
@pytest.mark.parametrize("dtype, tolerance", PRECISIONS)
@pytest.mark.parametrize("elements", BLOCK_ELEMENTS)
@pytest.mark.parametrize("options", cases(OPTIONS))
def test_blocks_are_the_naive_form(options, elements, dtype, tolerance, query_length, monkeypatch):
    monkeypatch.setattr(
        "keras_bahdanau.layers.additive_scores.BLOCK_ELEMENTS", BLOCK_ELEMENTS[elements]
    )
    names = OPTIONS[options]
    arrays = random_arrays(names, dtype, query_length=query_length)
    upstream = np.random.default_rng(5).normal(size=(BATCH_SIZE, query_length, VALUE_LENGTH))
    value, gradients = value_and_gradients(loss_of(additive_scores, names, upstream), arrays)
    expected, expected_gradients = value_and_gradients(
        loss_of(naive_scores, names, upstream), arrays
    )
    np.testing.assert_allclose(value, expected, rtol=10 * tolerance)
    for name, array, gradient, expected_gradient in zip(
        names, arrays, gradients, expected_gradients, strict=True
    ):
        assert gradient.dtype == array.dtype and gradient.shape == array.shape, name
        size = np.abs(expected_gradient).max()
        np.testing.assert_allclose(gradient, expected_gradient, atol=tolerance * size, err_msg=name)


def test_gradients_are_the_numeric_ones(monkeypatch):
    monkeypatch.setattr(f"{MODULE}.BLOCK_ELEMENTS", 40)
    dtype, tolerance = BEST
    names = tuple(SHAPES)
    arrays = random_arrays(names)
    upstream = np.random.default_rng(5).normal(size=(BATCH_SIZE, QUERY_LENGTH, VALUE_LENGTH))
    loss = loss_of(additive_scores, names, upstream)
    _, gradients = value_and_gradients(loss, [array.astype(dtype) for array in arrays])

    def exact_loss(arrays):
        query, keys, scale, features, feature_kernel, deviation, offset = arrays
        inner = query[:, :, None] + keys[:, None] + features @ feature_kernel
        scores = np.tanh(deviation[..., None] * inner + offset) @ scale
        return np.sum(upstream * scores * scores)

    for place, name in enumerate(names):
        direction = np.random.default_rng(6).normal(size=arrays[place].shape)
        losses = []
        for step in (1e-6, -1e-6):
            moved = list(arrays)
            moved[place] = arrays[place] + step * direction
            losses.append(exact_loss(moved))
        numeric = (losses[0] - losses[1]) / 2e-6
        np.testing.assert_allclose(
            np.sum(gradients[place] * direction),
            numeric,
            rtol=max(10 * tolerance, 1e-7),
            err_msg=name,
        )


@pytest.mark.parametrize("elements", BLOCK_ELEMENTS)
@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision_is_finite_at_extreme_values(dtype, elements, monkeypatch):
    monkeypatch.setattr(
        "keras_bahdanau.layers.additive_scores.BLOCK_ELEMENTS", BLOCK_ELEMENTS[elements]
    )
    names = tuple(SHAPES)
    arrays = [
        # The products of features and kernel have to stay within float16.
        (1e4 if name in ("query", "keys", "scale") else 50) * array
        for name, array in zip(names, random_arrays(names, "float32"), strict=True)
    ]

    def loss(*tensors):
        halves = {name: ops.cast(x, dtype) for name, x in zip(names, tensors, strict=True)}
        scores = additive_scores(**{**halves, "scale": tensors[names.index("scale")]})
        assert keras.backend.standardize_dtype(scores.dtype) == "float32"
        return ops.mean(scores)

    value, gradients = value_and_gradients(loss, arrays)
    assert np.isfinite(value)
    for name, gradient in zip(names, gradients, strict=True):
        assert np.isfinite(gradient).all(), name


def test_half_precision_keeps_the_score_of_many_units():
    # 4000 units of 30 each: more than float16 can hold.
    query, keys = (ops.full((1, 2, 4000), 20.0, dtype="float16") for _ in range(2))
    scores = additive_scores(query, keys, ops.full((4000,), 30.0, dtype="float16"))
    np.testing.assert_allclose(ops.convert_to_numpy(scores), 120_000, rtol=1e-5)
