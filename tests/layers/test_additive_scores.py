"""The score of additive attention: its equation, its chunks and its layer normalization."""

import keras
import numpy as np
import pytest
from attention_oracle import arrays_of
from keras import ops
from on_backend import BEST, PRECISIONS, cases, value_and_gradients

from keras_bahdanau.layers.additive_scores import additive_scores, normalized_pairs, over_chunks

BATCH_SIZE, QUERY_LENGTH, VALUE_LENGTH, UNITS, FILTERS = 5, 7, 3, 4, 2
SHAPES = {
    "query": (BATCH_SIZE, QUERY_LENGTH, UNITS),
    "keys": (BATCH_SIZE, VALUE_LENGTH, UNITS),
    "scale": (UNITS,),
    "features": (BATCH_SIZE, QUERY_LENGTH, VALUE_LENGTH, FILTERS),
    "feature_kernel": (FILTERS, UNITS),
    "inverse_std": (BATCH_SIZE, QUERY_LENGTH, VALUE_LENGTH),
    "offset": (UNITS,),
}
PLAIN = ("query", "keys", "scale")
OPTIONS = {
    "plain": PLAIN,
    "features": (*PLAIN, "features", "feature_kernel"),
    "normalized": (*PLAIN, "inverse_std", "offset"),
    "all": tuple(SHAPES),
}
# One query of one example makes 12 elements, one example 84.
MODULE = "keras_bahdanau.layers.additive_scores"
CHUNK_ELEMENTS = {
    "one chunk": 2**20,
    "two examples, and one left over": 200,
    "three queries, and one left over": 40,
    "one query": 1,
}


def random_arrays(names, dtype="float64", **lengths):
    generator = np.random.default_rng(4)
    shapes = dict(SHAPES)
    if lengths.get("query_length") == 1:
        shapes["query"] = (BATCH_SIZE, 1, UNITS)
        shapes["features"] = (BATCH_SIZE, 1, VALUE_LENGTH, FILTERS)
        shapes["inverse_std"] = (BATCH_SIZE, 1, VALUE_LENGTH)
    return [generator.normal(size=shapes[name]).astype(dtype) for name in names]


def naive_scores(
    query, keys, scale, features=None, feature_kernel=None, inverse_std=None, offset=None
):
    """The equation as it is written, with all pairs and units at once."""
    inner = query[:, :, None] + keys[:, None]
    if features is not None:
        inner = inner + ops.matmul(features, feature_kernel)
    if inverse_std is not None:
        inner = inverse_std[..., None] * inner + offset
    return ops.sum(scale * ops.tanh(inner), axis=-1)


def loss_of(scores, names, upstream):
    def loss(*tensors):
        result = scores(**dict(zip(names, tensors, strict=True)))
        # Not linear in the scores, so that what comes from upstream hangs on them.
        return ops.sum(ops.cast(upstream, result.dtype) * result * result)

    return loss


@pytest.mark.parametrize("query_length", [QUERY_LENGTH, 1])
@pytest.mark.parametrize("dtype, tolerance", PRECISIONS)
@pytest.mark.parametrize("elements", CHUNK_ELEMENTS)
@pytest.mark.parametrize("options", cases(OPTIONS))
def test_chunks_are_the_naive_form(options, elements, dtype, tolerance, query_length, monkeypatch):
    monkeypatch.setattr(f"{MODULE}.CHUNK_ELEMENTS", CHUNK_ELEMENTS[elements])
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
    monkeypatch.setattr(f"{MODULE}.CHUNK_ELEMENTS", 40)
    dtype, tolerance = BEST
    names = tuple(SHAPES)
    arrays = random_arrays(names)
    upstream = np.random.default_rng(5).normal(size=(BATCH_SIZE, QUERY_LENGTH, VALUE_LENGTH))
    loss = loss_of(additive_scores, names, upstream)
    _, gradients = value_and_gradients(loss, [array.astype(dtype) for array in arrays])

    def exact_loss(arrays):
        query, keys, scale, features, feature_kernel, inverse_std, offset = arrays
        inner = query[:, :, None] + keys[:, None] + features @ feature_kernel
        scores = np.tanh(inverse_std[..., None] * inner + offset) @ scale
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


@pytest.mark.parametrize("elements", CHUNK_ELEMENTS)
@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision_is_finite_at_extreme_values(dtype, elements, monkeypatch):
    monkeypatch.setattr(f"{MODULE}.CHUNK_ELEMENTS", CHUNK_ELEMENTS[elements])
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


QUERIES = np.random.default_rng(7).normal(size=(5, 7, 2)).astype("float32")
EXAMPLES = np.random.default_rng(8).normal(size=(5, 3)).astype("float32")


def sums(by_query, by_example, seen):
    """Per query its products with the example's numbers, and the same summed over queries."""
    seen.append(tuple(by_query["queries"].shape[:2]))
    products = ops.einsum("bid,bk->bidk", by_query["queries"], by_example["numbers"])
    return {"products": products, "sums": ops.sum(products, axis=1)}


def run(seen):
    return arrays_of(
        over_chunks(
            lambda *groups: sums(*groups, seen),
            by_query={"queries": ops.convert_to_tensor(QUERIES)},
            by_example={"numbers": ops.convert_to_tensor(EXAMPLES)},
            pair_elements=10,
            written={"products": (2, 3)},
            summed={"sums": (2, 3)},
            dtype="float32",
        )
    )


@pytest.mark.parametrize(
    "elements, chunk",
    [
        (10**6, (5, 7)),
        (350, (5, 7)),
        # Two examples at a time, the last one with an example of zeros.
        (349, (4, 7)),
        (140, (2, 7)),
        (70, (1, 7)),
        # An example in two chunks of four queries, the last query of zeros.
        (40, (1, 4)),
        (10, (1, 1)),
        (1, (1, 1)),
    ],
)
def test_every_size_of_chunks_gives_the_whole(elements, chunk, monkeypatch):
    monkeypatch.setattr(f"{MODULE}.CHUNK_ELEMENTS", elements)
    seen = []
    results = run(seen)
    products = np.einsum("bid,bk->bidk", QUERIES, EXAMPLES)
    np.testing.assert_allclose(results["products"], products, rtol=1e-6)
    np.testing.assert_allclose(results["sums"], products.sum(1), rtol=1e-4, atol=1e-6)
    assert set(seen) == {chunk}


def test_a_chunk_is_no_larger_than_it_may_be(monkeypatch):
    for elements in (10, 25, 69, 140, 200, 349):
        monkeypatch.setattr(f"{MODULE}.CHUNK_ELEMENTS", elements)
        seen = []
        run(seen)
        assert all(10 * np.prod(chunk) <= elements for chunk in seen)


RANDOM = np.random.default_rng(8)
PAIRS = {
    "query": RANDOM.normal(size=(2, 3, 6)),
    "keys": RANDOM.normal(size=(2, 4, 6)),
    "features": RANDOM.normal(size=(2, 3, 4, 5)),
    "feature_kernel": RANDOM.normal(size=(5, 6)),
}
GAMMA, BETA, SCALE = RANDOM.normal(size=(3, 6))
PAIR_NAMES = [("query", "keys"), tuple(PAIRS)]


def normalized_scores(pairs, gamma, beta):
    return additive_scores(
        **normalized_pairs(pairs, gamma, beta), scale=ops.cast(SCALE, gamma.dtype)
    )


def naive_normalized_scores(pairs, gamma, beta):
    """`keras.layers.LayerNormalization` on the sum of every pair."""
    inner = pairs["query"][:, :, None] + pairs["keys"][:, None]
    if "features" in pairs:
        inner = inner + ops.matmul(pairs["features"], pairs["feature_kernel"])
    layer = keras.layers.LayerNormalization(
        epsilon=1e-3, dtype=keras.backend.standardize_dtype(inner.dtype)
    )
    layer.build(inner.shape)
    normalized, _ = layer.stateless_call([gamma, beta], [], inner)
    return ops.matmul(ops.tanh(normalized), ops.cast(SCALE, gamma.dtype))


@pytest.mark.parametrize("dtype, tolerance", PRECISIONS)
@pytest.mark.parametrize("names", PAIR_NAMES)
def test_is_keras_layer_normalization_of_the_sum(names, dtype, tolerance):
    def normalized_loss_of(scores):
        def loss(*tensors):
            *tensors, gamma, beta = tensors
            return ops.sum(scores(dict(zip(names, tensors, strict=True)), gamma, beta) ** 2)

        return loss

    arrays = [array.astype(dtype) for array in (*(PAIRS[name] for name in names), GAMMA, BETA)]
    value, gradients = value_and_gradients(normalized_loss_of(normalized_scores), arrays)
    expected, expected_gradients = value_and_gradients(
        normalized_loss_of(naive_normalized_scores), arrays
    )
    np.testing.assert_allclose(value, expected, rtol=tolerance)
    for gradient, expected_gradient in zip(gradients, expected_gradients, strict=True):
        assert gradient.dtype == dtype
        size = np.abs(expected_gradient).max()
        np.testing.assert_allclose(gradient, expected_gradient, atol=tolerance * size)


@pytest.mark.parametrize("names", PAIR_NAMES)
def test_a_sum_without_variance_is_the_offset_alone(names):
    pairs = {name: ops.full(PAIRS[name].shape, 3.0, dtype="float32") for name in names}
    gamma, beta = GAMMA.astype("float32"), BETA.astype("float32")
    scores = additive_scores(
        **normalized_pairs(pairs, gamma, beta), scale=ops.cast(SCALE, "float32")
    )
    np.testing.assert_allclose(arrays_of(scores), np.tanh(BETA) @ SCALE, rtol=1e-5)


def test_half_precision_is_normalized_in_float32():
    # Squares of 300 are beyond float16.
    pairs = {name: ops.cast(300 * PAIRS[name], "float16") for name in ("query", "keys")}
    normalized = normalized_pairs(pairs, GAMMA, BETA)
    for tensor in normalized.values():
        assert keras.backend.standardize_dtype(tensor.dtype) == "float32"
        assert np.isfinite(arrays_of(tensor)).all()
