import keras
import numpy as np
import pytest

from keras_bahdanau import BahdanauAttention

QUERY = np.ones((2, 4, 5), dtype="float32")
VALUE = np.ones((2, 6, 7), dtype="float32")


@pytest.mark.parametrize("units", [0, -1, 2.5, "8", None, True])
def test_units_must_be_a_positive_integer(units):
    message = f"`units` must be a positive integer. Received: units={units}"
    with pytest.raises(ValueError, match=message):
        BahdanauAttention(units)


@pytest.mark.parametrize("name", ["dropout", "position_dropout"])
@pytest.mark.parametrize("rate", [-0.1, 1, 1.5, float("nan")])
def test_dropouts_must_be_rates(name, rate):
    with pytest.raises(ValueError, match=rf"`{name}` must be in the range \[0, 1\).*{rate}"):
        BahdanauAttention(8, **{name: rate})


@pytest.mark.parametrize(
    "query_shape, value_shape, message",
    [
        ((2,), (2, 6, 7), r"`query` of shape .*Received: query.shape=\(2,\)"),
        ((2, 1, 4, 5), (2, 6, 7), r"`query` of shape .*Received: query.shape=\(2, 1, 4, 5\)"),
        ((2, 4, 5), (2, 7), r"`value` of shape .*value.shape=\(2, 7\)"),
        ((2, 4, 5), (2, 1, 6, 7), r"`value` of shape .*value.shape=\(2, 1, 6, 7\)"),
        ((2, 4, 5), (3, 6, 7), r"same batch size.*\(2, 4, 5\), value.shape=\(3, 6, 7\)"),
        # One row would be repeated in silence otherwise.
        ((1, 4, 5), (3, 6, 7), r"same batch size.*\(1, 4, 5\), value.shape=\(3, 6, 7\)"),
    ],
)
def test_query_and_value_must_fit(query_shape, value_shape, message):
    query, value = np.ones(query_shape, "float32"), np.ones(value_shape, "float32")
    built = BahdanauAttention(8)
    built(QUERY, VALUE)
    for layer in (BahdanauAttention(8), built):
        with pytest.raises(ValueError, match=message):
            layer(query, value)
        with pytest.raises(ValueError, match=message):
            layer(keras.KerasTensor(query_shape), keras.KerasTensor(value_shape))


@pytest.mark.parametrize("key_shape", [(2, 7), (2, 5, 7), (3, 6, 7)])
def test_key_must_fit_the_value(key_shape):
    built = BahdanauAttention(8)
    built(QUERY, VALUE)
    for layer in (BahdanauAttention(8), built):
        with pytest.raises(ValueError, match=r"`key` of shape.*key.shape=\("):
            layer(QUERY, VALUE, key=np.ones(key_shape, "float32"))
    with pytest.raises(ValueError, match=r"`key` of shape.*key.shape=\("):
        built(
            keras.KerasTensor((2, 4, 5)),
            keras.KerasTensor((2, 6, 7)),
            key=keras.KerasTensor(key_shape),
        )


@pytest.mark.parametrize("keys_shape", [(2, 6), (2, 5, 8), (2, 6, 7), (2, 6, 1)])
def test_keys_must_fit_the_value_and_the_units(keys_shape):
    layer = BahdanauAttention(8)
    layer(QUERY, VALUE)
    for keys, query, value in [
        (np.ones(keys_shape, "float32"), QUERY, VALUE),
        (keras.KerasTensor(keys_shape), keras.KerasTensor((2, 4, 5)), keras.KerasTensor((2, 6, 7))),
    ]:
        with pytest.raises(ValueError, match=r"`keys` of shape \(2, 6, 8\).*Received"):
            layer(query, value, keys=keys)


def test_key_and_keys_exclude_each_other():
    layer = BahdanauAttention(8)
    layer(QUERY, VALUE)
    keys = layer.project_keys(VALUE)
    with pytest.raises(ValueError, match="either `key` .* or `keys` .* Received both"):
        layer(QUERY, VALUE, key=VALUE, keys=keys)
    with pytest.raises(ValueError, match="either `key` .* or `keys` .* Received both"):
        symbols = [keras.KerasTensor(shape) for shape in ((2, 4, 5), (2, 6, 7), (2, 6, 7))]
        layer(*symbols, keys=keras.KerasTensor((2, 6, 8)))


@pytest.mark.parametrize(
    "name, mask, received",
    [
        ("value_mask", np.ones((2, 5), bool), r"dtype=bool, shape=\(2, 5\)"),
        ("value_mask", np.ones((2, 6, 1), bool), r"dtype=bool, shape=\(2, 6, 1\)"),
        ("value_mask", np.ones((1, 6), bool), r"dtype=bool, shape=\(1, 6\)"),
        # An additive mask of zeros and -1e9, or integers, would be read the wrong way round.
        ("value_mask", np.ones((2, 6), "float32"), r"dtype=float32, shape=\(2, 6\)"),
        ("value_mask", np.ones((2, 6), "int32"), r"dtype=int32, shape=\(2, 6\)"),
        ("query_mask", np.ones((2, 6), bool), r"dtype=bool, shape=\(2, 6\)"),
        ("query_mask", np.ones((2,), bool), r"dtype=bool, shape=\(2,\)"),
        ("query_mask", np.ones((2, 4), "int32"), r"dtype=int32, shape=\(2, 4\)"),
    ],
)
def test_masks_must_be_bool_and_of_the_shape(name, mask, received):
    with pytest.raises(ValueError, match=rf"`{name}` to be a bool tensor.*Received: {received}"):
        BahdanauAttention(8)(QUERY, VALUE, **{name: mask})


def test_the_last_dimension_must_be_known():
    with pytest.raises(ValueError, match=r"last dimension of `query` and `value` must be known"):
        BahdanauAttention(8)(keras.KerasTensor((2, 4, None)), keras.KerasTensor((2, 6, 7)))
