import keras
import numpy as np
import pytest
from attention_oracle import arrays_of, weights_by_name
from keras import ops
from location_oracle import location_attention

from keras_bahdanau.layers.location_sensitive_attention import LocationSensitiveAttention

RANDOM = np.random.default_rng(3)
QUERY = RANDOM.normal(size=(3, 5, 4)).astype("float32")
VALUE = RANDOM.normal(size=(3, 9, 7)).astype("float32")
# All, some (neither the first nor the last) and none of the positions.
VALUE_MASK = np.array([[1] * 9, [0, 1, 1, 0, 1, 1, 1, 0, 0], [0] * 9], dtype=bool)
# Larger weights than those of a new layer, so that locations matter.
LARGE = keras.initializers.RandomNormal(stddev=1.0, seed=3)
FEATURES = ["cumulative", "previous", "both"]


def small_layer(units=8, filters=3, kernel_size=4, kernel_initializer=LARGE, **kwargs):
    kwargs |= {"kernel_size": kernel_size, "kernel_initializer": kernel_initializer}
    return LocationSensitiveAttention(units, filters=filters, **kwargs)


def attend(layer, *args, **kwargs):
    return arrays_of(layer(*args, return_attention_scores=True, **kwargs))


def state_at(positions, length=9):
    """A state in which each sentence has looked at one position so far."""
    weights = np.eye(length, dtype="float32")[positions]
    return {"cumulative_weights": weights, "previous_weights": weights}


@pytest.mark.parametrize("value_mask", [None, VALUE_MASK])
@pytest.mark.parametrize(
    "options",
    [
        {"features": "cumulative", "kernel_size": 3},
        {"features": "previous", "kernel_size": 4, "use_bias": True},
        {"features": "both", "kernel_size": 31, "temperature": 2.0},
        {"features": "both", "kernel_size": 1, "window": (1, 2)},
        {"window": (0, 0)},
        {"smoothing": True},
        {"smoothing": True, "window": (2, 1), "temperature": 2.0},
    ],
)
def test_equals_the_papers_equations(options, value_mask):
    layer = small_layer(bias_initializer=LARGE, **options)
    context, weights = attend(layer, QUERY, VALUE, value_mask=value_mask)
    of_oracle = {
        name: options[name]
        for name in options.keys() & {"features", "window", "smoothing", "temperature"}
    }
    expected_context, expected_weights = location_attention(
        QUERY, VALUE, weights_by_name(layer), value_mask=value_mask, **of_oracle
    )
    np.testing.assert_allclose(weights, expected_weights, atol=1e-5)
    np.testing.assert_allclose(context, expected_context, atol=1e-5)


@pytest.mark.parametrize("features", FEATURES)
def test_locations_change_the_weights(features):
    layer = small_layer(features=features)
    layer.build(QUERY.shape, VALUE.shape)
    same_query = np.repeat(QUERY[:, :1], 5, axis=1)
    _, weights = attend(layer, same_query, VALUE)
    assert np.abs(np.diff(weights, axis=1)).max() > 0.05
    layer.location_kernel.assign(ops.zeros((3, 8)))
    _, weights = attend(layer, same_query, VALUE)
    np.testing.assert_allclose(np.diff(weights, axis=1), 0, atol=1e-6)


@pytest.mark.parametrize("window", [None, (1, 2)])
def test_a_sequence_is_its_queries_one_after_the_other(window):
    layer = small_layer(features="both", window=window)
    contexts, weights, last = attend(
        layer, QUERY, VALUE, value_mask=VALUE_MASK, return_attention_state=True
    )
    state = layer.get_initial_state(VALUE)
    keys = layer.project_keys(VALUE)
    for i in range(QUERY.shape[1]):
        context, weight, state = layer(
            QUERY[:, i],
            VALUE,
            keys=keys,
            value_mask=VALUE_MASK,
            attention_state=state,
            return_attention_scores=True,
            return_attention_state=True,
        )
        np.testing.assert_allclose(arrays_of(context), contexts[:, i], atol=1e-5)
        np.testing.assert_allclose(arrays_of(weight), weights[:, i], atol=1e-5)
    assert state.keys() == last.keys()
    for name, tensor in state.items():
        np.testing.assert_allclose(arrays_of(tensor), last[name], atol=1e-5)
    np.testing.assert_allclose(last["cumulative_weights"], weights.sum(1), atol=1e-5)
    np.testing.assert_allclose(last["previous_weights"], weights[:, -1], atol=1e-6)


def test_more_padding_changes_nothing():
    layer = small_layer(features="both")
    context, weights = attend(layer, QUERY, VALUE, value_mask=VALUE_MASK)
    longer = np.concatenate([np.where(VALUE_MASK[..., None], VALUE, 9.0), VALUE + 5], axis=1)
    longer_mask = np.concatenate([VALUE_MASK, np.zeros_like(VALUE_MASK)], axis=1)
    longer_context, longer_weights = attend(layer, QUERY, longer, value_mask=longer_mask)
    np.testing.assert_allclose(longer_context, context, atol=1e-6)
    np.testing.assert_allclose(longer_weights[..., :9], weights, atol=1e-6)
    assert not longer_weights[..., 9:].any()


@pytest.mark.parametrize("options", [{}, {"smoothing": True}, {"window": (1, 2)}])
def test_a_fully_masked_row_is_zero(options):
    context, weights, state = attend(
        small_layer(**options), QUERY, VALUE, value_mask=VALUE_MASK, return_attention_state=True
    )
    assert not context[2].any() and not weights[2].any()
    assert not any(tensor[2].any() for tensor in state.values())
    np.testing.assert_allclose(weights[:2].sum(-1), 1, atol=1e-6)
    assert not weights[~np.broadcast_to(VALUE_MASK[:, None], weights.shape)].any()


def test_the_window_holds_the_weight_outside_of_training_only():
    layer = small_layer(window=(1, 2))
    state = state_at([0, 4, 8])
    expected = np.zeros((3, 9), dtype=bool)
    expected[0, 0:3] = expected[1, 3:7] = expected[2, 7:9] = True
    for training in (None, False):
        _, weights = attend(layer, QUERY[:, 0], VALUE, attention_state=state, training=training)
        np.testing.assert_array_equal(weights > 0, expected)
    _, weights = attend(layer, QUERY[:, 0], VALUE, attention_state=state, training=True)
    assert (weights > 0).all()


def test_a_window_of_padding_is_not_applied():
    layer = small_layer(window=(0, 1))
    # Positions 7 and 8 of the second sentence are padding, of the first they are not.
    _, weights = attend(
        layer, QUERY[:, 0], VALUE, value_mask=VALUE_MASK, attention_state=state_at([7, 7, 7])
    )
    np.testing.assert_array_equal(weights[0] > 0, [0, 0, 0, 0, 0, 0, 0, 1, 1])
    np.testing.assert_array_equal(weights[1] > 0, VALUE_MASK[1])
    assert not weights[2].any()


def test_smoothing_spreads_the_weight_and_bears_low_scores():
    # In the first step there are no locations yet, so both layers have the same scores.
    sharp, smooth = small_layer(), small_layer(smoothing=True)
    for layer in (sharp, smooth):
        layer.build(QUERY.shape, VALUE.shape)
    smooth.set_weights(sharp.get_weights())
    _, sharp_weights = attend(sharp, QUERY[:, 0], VALUE)
    _, smooth_weights = attend(smooth, QUERY[:, 0], VALUE)
    assert (smooth_weights.max(-1) < sharp_weights.max(-1)).all()

    # Equal scores so low that each sigmoid is zero in float32.
    smooth.query_kernel.assign(ops.full((4, 8), 1.0))
    smooth.key_kernel.assign(ops.zeros((7, 8)))
    smooth.scale.assign(ops.full((8,), -100.0))
    _, weights = attend(smooth, np.abs(QUERY[:, 0]) + 1, VALUE)
    np.testing.assert_allclose(weights, 1 / 9, atol=1e-4)


def test_weights_are_found_by_name():
    layer = LocationSensitiveAttention(8, filters=5, kernel_size=3, features="both")
    layer(QUERY, VALUE)
    shapes = {weight.name: tuple(weight.shape) for weight in layer.weights}
    assert shapes.pop("location_filters") == (3, 2, 5)
    assert shapes.pop("location_kernel") == (5, 8)
    assert shapes == {"query_kernel": (4, 8), "key_kernel": (7, 8), "scale": (8,)}


def test_fit_reaches_every_weight():
    query, value = keras.Input((5, 4)), keras.Input((9, 7))
    layer = small_layer(features="both", use_bias=True)
    model = keras.Model([query, value], layer(query, value))
    model.compile(keras.optimizers.SGD(0.1), loss="mse")
    before = weights_by_name(layer)
    history = model.fit([QUERY, VALUE], np.ones((3, 5, 7)), epochs=1, verbose=0)
    assert np.isfinite(history.history["loss"]).all()
    for name, weight in weights_by_name(layer).items():
        assert np.isfinite(weight).all() and np.abs(weight - before[name]).max() > 1e-7, name


@pytest.mark.parametrize(
    "state",
    [
        {},
        {"coverage": np.zeros((3, 9), "float32")},
        {"previous_weights": np.zeros((3, 9), "float32")},
        state_at([0, 0, 0], length=8),
        state_at([0, 0]),
        np.zeros((3, 9), "float32"),
    ],
)
def test_the_state_of_another_layer_is_refused(state):
    with pytest.raises(ValueError, match="Expected `attention_state`.*cumulative_weights.*Rec"):
        small_layer()(QUERY, VALUE, attention_state=state)


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"units": 0}, "`units` must be a positive integer. Received: units=0"),
        ({"filters": 0}, "`filters` must be a positive integer. Received: filters=0"),
        ({"kernel_size": 2.0}, "`kernel_size` must be a positive integer. Received: kernel_siz"),
        ({"features": "none"}, "`features` must be one of .*cumulative.* Received: features='no"),
        ({"window": 3}, "`window` must be None or two integers .* Received: window=3"),
        ({"window": (1, -1)}, r"`window` must be .* Received: window=\(1, -1\)"),
        ({"window": (1, 2, 3)}, r"`window` must be .* Received: window=\(1, 2, 3\)"),
    ],
)
def test_arguments_out_of_range_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        LocationSensitiveAttention(**{"units": 8, **arguments})


def test_config_makes_the_same_layer():
    arguments = {"units": 8, "filters": 5, "kernel_size": 3, "features": "both"}
    arguments |= {"window": (1, 2), "smoothing": True, "normalize": True, "name": "attention"}
    config = LocationSensitiveAttention(**arguments).get_config()
    assert config.items() >= arguments.items()
    assert LocationSensitiveAttention.from_config(config).get_config() == config


def test_saved_and_loaded_in_a_functional_model(tmp_path):
    query, value = keras.Input((None, 4)), keras.Input((None, 7))
    options = {"smoothing": True, "normalize": True, "layer_normalization": True}
    layer = small_layer(features="both", window=(1, 2), **options)
    outputs = layer(query, value, return_attention_scores=True, return_attention_state=True)
    model = keras.Model([query, value], outputs)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    for first, second in zip(
        keras.tree.flatten(arrays_of(loaded([QUERY, VALUE]))),
        keras.tree.flatten(attend(layer, QUERY, VALUE, return_attention_state=True)),
        strict=True,
    ):
        np.testing.assert_allclose(first, second, atol=1e-6)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@pytest.mark.parametrize("smoothing", [False, True])
def test_half_precision_is_finite_at_extreme_scores(smoothing, dtype):
    options = {"kernel_initializer": "glorot_uniform", "smoothing": smoothing}
    layer, exact = small_layer(**options, dtype=f"mixed_{dtype}"), small_layer(**options)
    for one in (layer, exact):
        one.build(QUERY.shape, VALUE.shape)
    exact.set_weights(layer.get_weights())
    context, weights = layer(QUERY, VALUE, value_mask=VALUE_MASK, return_attention_scores=True)
    assert {keras.backend.standardize_dtype(x.dtype) for x in (context, weights)} == {dtype}
    _, expected = attend(exact, QUERY, VALUE, value_mask=VALUE_MASK)
    np.testing.assert_allclose(arrays_of(ops.cast(weights, "float32")), expected, atol=0.02)

    layer.set_weights([100 * weight for weight in layer.get_weights()])
    outputs = layer(QUERY, VALUE, value_mask=VALUE_MASK, return_attention_scores=True)
    for output in outputs:
        output = arrays_of(ops.cast(output, "float32"))
        assert np.isfinite(output).all() and not output[2].any()
