import keras
import numpy as np
import pytest
from attention_oracle import additive_attention, arrays_of, weights_by_name
from keras import ops
from on_backend import BEST, value_and_gradients, weighted_loss

from keras_bahdanau import BahdanauAttention

RANDOM = np.random.default_rng(1)
QUERY = RANDOM.normal(size=(3, 4, 5)).astype("float32")
VALUE = RANDOM.normal(size=(3, 6, 7)).astype("float32")
KEY = RANDOM.normal(size=(3, 6, 2)).astype("float32")
# All, some (not only at the end) and none of the positions.
VALUE_MASK = np.array([[1, 1, 1, 1, 1, 1], [1, 0, 1, 1, 0, 0], [0, 0, 0, 0, 0, 0]], dtype=bool)
QUERY_MASK = np.array([[1, 1, 1, 0], [1, 1, 0, 0], [1, 1, 1, 1]], dtype=bool)


class ReceivedMask(keras.layers.Layer):
    """Returns the mask that Keras hands to it."""

    supports_masking = True

    def call(self, inputs, mask=None):
        return mask


def attend(layer, *args, **kwargs):
    return arrays_of(layer(*args, return_attention_scores=True, **kwargs))


@pytest.mark.parametrize("use_bias", [False, True])
@pytest.mark.parametrize("key", [None, KEY])
@pytest.mark.parametrize("value_mask", [None, VALUE_MASK])
def test_equals_the_papers_equations(use_bias, key, value_mask):
    layer = BahdanauAttention(8, use_bias=use_bias, bias_initializer="glorot_uniform")
    context, weights = attend(layer, QUERY, VALUE, key=key, value_mask=value_mask)
    expected_context, expected_weights = additive_attention(
        QUERY, VALUE, weights_by_name(layer), key=key, value_mask=value_mask
    )
    np.testing.assert_allclose(weights, expected_weights, atol=1e-6)
    np.testing.assert_allclose(context, expected_context, atol=1e-5)


def test_one_query_is_a_sequence_of_one():
    layer = BahdanauAttention(8)
    contexts, weights = attend(layer, QUERY, VALUE, value_mask=VALUE_MASK)
    for i in range(QUERY.shape[1]):
        context, weight = attend(layer, QUERY[:, i], VALUE, value_mask=VALUE_MASK)
        np.testing.assert_allclose(context, contexts[:, i], atol=1e-6)
        np.testing.assert_allclose(weight, weights[:, i], atol=1e-6)


def test_without_scores_the_context_alone_comes_back():
    layer = BahdanauAttention(8)
    context, _ = attend(layer, QUERY, VALUE)
    np.testing.assert_array_equal(arrays_of(layer(QUERY, VALUE)), context)


def test_weights_sum_to_one_and_are_zero_on_padding():
    _, weights = attend(BahdanauAttention(8), QUERY, VALUE, value_mask=VALUE_MASK)
    np.testing.assert_allclose(weights[:2].sum(-1), 1, atol=1e-6)
    assert not weights[~np.broadcast_to(VALUE_MASK[:, None], weights.shape)].any()


def test_what_is_behind_the_mask_never_counts():
    layer = BahdanauAttention(8)
    context, weights = attend(layer, QUERY, VALUE, value_mask=VALUE_MASK)
    other_value = np.where(VALUE_MASK[..., None], VALUE, 1e6)
    other_context, other_weights = attend(layer, QUERY, other_value, value_mask=VALUE_MASK)
    np.testing.assert_array_equal(other_weights, weights)
    np.testing.assert_array_equal(other_context, context)


def test_a_fully_masked_row_is_zero_and_so_are_its_gradients():
    layer = BahdanauAttention(8)
    context, weights = attend(layer, QUERY, VALUE, value_mask=VALUE_MASK)
    assert not context[2].any() and not weights[2].any()
    loss = weighted_loss(layer, np.ones, value_mask=VALUE_MASK, return_attention_scores=True)
    _, gradients = value_and_gradients(loss, [QUERY, VALUE, *arrays_of(layer.trainable_variables)])
    assert all(np.isfinite(gradient).all() for gradient in gradients)
    assert gradients[1][:2].any()
    assert not gradients[0][2].any() and not gradients[1][2].any()


def test_query_mask_gives_zero_contexts():
    layer = BahdanauAttention(8)
    context, weights = attend(layer, QUERY, VALUE, query_mask=QUERY_MASK)
    full_context, full_weights = attend(layer, QUERY, VALUE)
    np.testing.assert_array_equal(context, full_context * QUERY_MASK[..., None])
    np.testing.assert_array_equal(weights, full_weights)
    one_step = arrays_of(layer(QUERY[:, 2], VALUE, query_mask=QUERY_MASK[:, 2]))
    assert not one_step[1].any() and one_step[0].any()


@pytest.mark.parametrize("use_bias", [False, True])
@pytest.mark.parametrize("key", [None, KEY])
def test_keys_passed_on_are_the_keys_projected_inside(use_bias, key):
    layer = BahdanauAttention(8, use_bias=use_bias, bias_initializer="ones")
    inside = attend(layer, QUERY, VALUE, key=key)
    keys = layer.project_keys(VALUE if key is None else key)
    passed = attend(layer, QUERY, VALUE, keys=keys)
    for first, second in zip(inside, passed, strict=True):
        np.testing.assert_array_equal(first, second)


def test_dropout_keeps_the_mean_and_the_returned_weights():
    layer = BahdanauAttention(8, dropout=0.4, seed=1)
    query = np.repeat(QUERY[:1], 400, axis=0)
    value = np.repeat(VALUE[:1], 400, axis=0)
    context, weights = attend(layer, query, value)
    dropped_context, dropped_weights = attend(layer, query, value, training=True)
    np.testing.assert_array_equal(context, attend(layer, query, value, training=False)[0])
    np.testing.assert_array_equal(dropped_weights, weights)
    assert np.abs(dropped_context - context).max() > 0.1
    np.testing.assert_allclose(dropped_context.mean(0), context[0], atol=0.15)
    again, _ = attend(layer, query, value, training=True)
    assert np.abs(again - dropped_context).max() > 0.1


def test_position_dropout_drops_a_position_for_all_queries():
    layer = BahdanauAttention(8, position_dropout=0.4, seed=1)
    query = np.repeat(QUERY[:1], 400, axis=0)
    one_hot = np.broadcast_to(np.eye(6, dtype="float32"), (400, 6, 6))
    # The context of one-hot values are the weights that were summed.
    summed, weights = attend(layer, query, one_hot, training=True)
    kept = summed / weights
    np.testing.assert_allclose(kept, np.broadcast_to(kept[:, :1], kept.shape), rtol=1e-5)
    np.testing.assert_allclose(np.unique(kept.round(3)), [0, 1.667])
    np.testing.assert_allclose(kept[:, 0].mean(), 1, atol=0.05)
    again, _ = attend(layer, query, one_hot, training=True)
    assert np.abs(again - summed).max() > 0.01
    summed, weights = attend(layer, query, one_hot)
    np.testing.assert_allclose(summed, weights, atol=1e-6)


def test_dropout_of_zero_changes_nothing():
    layer = BahdanauAttention(8)
    for training in (True, None):
        np.testing.assert_array_equal(
            attend(layer, QUERY, VALUE, training=training)[0],
            attend(layer, QUERY, VALUE, training=False)[0],
        )


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_mixed_precision_is_finite_at_extreme_scores(dtype):
    layer = BahdanauAttention(8, dtype=f"mixed_{dtype}")
    layer.build(QUERY.shape, VALUE.shape)
    exact = BahdanauAttention(8)
    exact.build(QUERY.shape, VALUE.shape)
    exact.set_weights(layer.get_weights())
    context, weights = layer(QUERY, VALUE, value_mask=VALUE_MASK, return_attention_scores=True)
    assert {keras.backend.standardize_dtype(x.dtype) for x in (context, weights)} == {dtype}
    assert {weight.dtype for weight in layer.weights} == {"float32"}
    np.testing.assert_allclose(
        arrays_of(ops.cast(weights, "float32")),
        attend(exact, QUERY, VALUE, value_mask=VALUE_MASK)[1],
        atol=0.02,
    )
    # tanh is 1 or -1 everywhere and each score about 1000 times that.
    layer.set_weights([50 * layer.weights[0], 50 * layer.weights[1], ops.full((8,), 1000.0)])
    outputs = layer(100 * QUERY, VALUE, value_mask=VALUE_MASK, return_attention_scores=True)
    for output in outputs:
        output = arrays_of(ops.cast(output, "float32"))
        assert np.isfinite(output).all() and not output[2].any()
    np.testing.assert_allclose(arrays_of(ops.cast(outputs[1], "float32"))[:2].sum(-1), 1, atol=0.02)


def test_masks_of_keras_arrive_by_name():
    source_ids, target_ids = np.array([[4, 2, 0], [1, 0, 0]]), np.array([[3, 1], [2, 0]])
    source_embedding = keras.layers.Embedding(6, 4, mask_zero=True)
    target_embedding = keras.layers.Embedding(6, 3, mask_zero=True)
    value, query = source_embedding(source_ids), target_embedding(target_ids)
    layer = BahdanauAttention(8)
    context, weights = layer(query, value, return_attention_scores=True)
    np.testing.assert_array_equal(arrays_of(weights)[:, :, 1:] == 0, [[[0, 1]] * 2, [[1, 1]] * 2])
    np.testing.assert_array_equal((arrays_of(context) == 0).all(-1), target_ids == 0)
    np.testing.assert_array_equal(arrays_of(ReceivedMask()(context)), target_ids != 0)


@pytest.mark.parametrize("dtype", ["float32", "mixed_float16"])
@pytest.mark.parametrize("query", [QUERY, QUERY[:, 0]])
def test_symbolic_outputs_are_those_of_real_calls(query, dtype):
    layer = BahdanauAttention(8, dtype=dtype)
    real = layer(query, VALUE, return_attention_scores=True)
    symbols = [
        keras.KerasTensor(array.shape, dtype=layer.compute_dtype) for array in (query, VALUE)
    ]
    symbolic = layer(*symbols, return_attention_scores=True)
    for first, second in zip(
        (*real, layer(query, VALUE)), (*symbolic, layer(*symbols)), strict=True
    ):
        assert tuple(first.shape) == second.shape
        assert keras.backend.standardize_dtype(first.dtype) == second.dtype


def test_weights_are_found_by_name():
    layer = BahdanauAttention(8, use_bias=True)
    layer(QUERY, VALUE, key=KEY)
    shapes = {weight.name: tuple(weight.shape) for weight in layer.weights}
    assert shapes == {"query_kernel": (5, 8), "key_kernel": (2, 8), "scale": (8,), "bias": (8,)}


def test_equal_shapes_start_with_different_weights():
    layer = BahdanauAttention(8, kernel_initializer=keras.initializers.GlorotUniform())
    layer.build((None, 7), VALUE.shape)
    weights = weights_by_name(layer)
    assert np.abs(weights["query_kernel"] - weights["key_kernel"]).max() > 0.01


def test_kernel_regularizer_reaches_the_losses():
    layer = BahdanauAttention(8, kernel_regularizer=keras.regularizers.L2(0.5))
    query, value = keras.Input((4, 5)), keras.Input((6, 7))
    model = keras.Model([query, value], layer(query, value))
    weights = weights_by_name(layer)
    expected = [0.5 * np.square(weights[name]).sum() for name in ("query_kernel", "key_kernel")]
    np.testing.assert_allclose(arrays_of(model.losses), expected, rtol=1e-5)


def test_gradients_are_the_numeric_ones():
    dtype, tolerance = BEST
    layer = BahdanauAttention(3, use_bias=True, bias_initializer="ones", dtype=dtype)
    query, value, mask = QUERY[:, :2].astype(dtype), VALUE[:, :4].astype(dtype), VALUE_MASK[:, :4]
    layer.build(query.shape, value.shape)
    probe = RANDOM.normal(size=(3, 2, 7))
    names = [weight.name for weight in layer.trainable_variables]
    loss = weighted_loss(layer, lambda shape: probe, value_mask=mask)
    _, gradients = value_and_gradients(loss, [query, value, *arrays_of(layer.trainable_variables)])

    def exact_loss(weights):
        context, _ = additive_attention(query, value, weights, value_mask=mask)
        return np.sum(probe * context)

    for name, gradient in zip(names, gradients[2:], strict=True):
        numeric = np.zeros(gradient.shape)
        for index in np.ndindex(*numeric.shape):
            losses = []
            for offset in (1e-6, -1e-6):
                weights = weights_by_name(layer)
                weights[name][index] += offset
                losses.append(exact_loss(weights))
            numeric[index] = (losses[0] - losses[1]) / 2e-6
        np.testing.assert_allclose(gradient, numeric, atol=max(tolerance, 1e-7), err_msg=name)
