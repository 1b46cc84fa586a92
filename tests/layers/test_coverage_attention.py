import keras
import numpy as np
import pytest
from attention_oracle import arrays_of, weights_by_name
from coverage_oracle import coverage_attention, coverage_losses
from keras import ops

from keras_bahdanau.layers.coverage_attention import CoverageAttention, coverage_loss

RANDOM = np.random.default_rng(2)
QUERY = RANDOM.normal(size=(3, 5, 4)).astype("float32")
VALUE = RANDOM.normal(size=(3, 6, 7)).astype("float32")
# All, some (not only at the end) and none of the positions.
VALUE_MASK = np.array([[1, 1, 1, 1, 1, 1], [1, 0, 1, 1, 0, 0], [0, 0, 0, 0, 0, 0]], dtype=bool)
QUERY_MASK = np.array([[1, 1, 1, 1, 0], [1, 1, 0, 0, 0], [1, 1, 1, 1, 1]], dtype=bool)
# Larger weights than those of a new layer, so that coverage matters.
LARGE = keras.initializers.RandomNormal(stddev=1.0, seed=3)
FERTILITIES = [None, 2.0]


def attend(layer, *args, **kwargs):
    return arrays_of(layer(*args, return_attention_scores=True, **kwargs))


@pytest.mark.parametrize("value_mask", [None, VALUE_MASK])
@pytest.mark.parametrize("options", [{}, {"use_bias": True, "temperature": 2.0}])
@pytest.mark.parametrize("fertility", FERTILITIES)
def test_equals_the_papers_equations(fertility, options, value_mask):
    layer = CoverageAttention(
        8, fertility, kernel_initializer=LARGE, bias_initializer=LARGE, **options
    )
    context, weights = attend(layer, QUERY, VALUE, value_mask=value_mask)
    expected_context, expected_weights = coverage_attention(
        QUERY,
        VALUE,
        weights_by_name(layer),
        fertility,
        value_mask,
        temperature=options.get("temperature", 1.0),
    )
    np.testing.assert_allclose(weights, expected_weights, atol=1e-5)
    np.testing.assert_allclose(context, expected_context, atol=1e-5)


@pytest.mark.parametrize("fertility", FERTILITIES)
def test_coverage_changes_the_weights(fertility):
    layer = CoverageAttention(8, fertility, kernel_initializer=LARGE)
    layer.build(QUERY.shape, VALUE.shape)
    same_query = np.repeat(QUERY[:, :1], 5, axis=1)
    _, weights = attend(layer, same_query, VALUE)
    assert np.abs(np.diff(weights, axis=1)).max() > 0.1
    layer.coverage_kernel.assign(ops.zeros((1, 8)))
    _, weights = attend(layer, same_query, VALUE)
    np.testing.assert_allclose(np.diff(weights, axis=1), 0, atol=1e-6)


@pytest.mark.parametrize("fertility", FERTILITIES)
def test_a_sequence_is_its_queries_one_after_the_other(fertility):
    layer = CoverageAttention(8, fertility, kernel_initializer=LARGE)
    contexts, weights, last = attend(
        layer, QUERY, VALUE, value_mask=VALUE_MASK, return_attention_state=True
    )
    state = layer.get_initial_state(VALUE)
    keys = layer.project_keys(VALUE)
    assert tuple(keys.shape) == (3, 6, layer.keys_dim)
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
    np.testing.assert_allclose(arrays_of(state["coverage"]), last["coverage"], atol=1e-5)
    np.testing.assert_allclose(last["coverage"], weights.sum(1), atol=1e-5)


@pytest.mark.parametrize("fertility", FERTILITIES)
def test_more_padding_changes_nothing(fertility):
    layer = CoverageAttention(8, fertility, kernel_initializer=LARGE)
    context, weights = attend(layer, QUERY, VALUE, value_mask=VALUE_MASK)
    longer = np.concatenate([np.where(VALUE_MASK[..., None], VALUE, 9.0), VALUE + 5], axis=1)
    longer_mask = np.concatenate([VALUE_MASK, np.zeros_like(VALUE_MASK)], axis=1)
    longer_context, longer_weights = attend(layer, QUERY, longer, value_mask=longer_mask)
    np.testing.assert_allclose(longer_context, context, atol=1e-6)
    np.testing.assert_allclose(longer_weights[..., :6], weights, atol=1e-6)
    assert not longer_weights[..., 6:].any()


def test_a_fully_masked_row_is_zero():
    context, weights, state = attend(
        CoverageAttention(8, 2.0),
        QUERY,
        VALUE,
        value_mask=VALUE_MASK,
        return_attention_state=True,
    )
    assert not context[2].any() and not weights[2].any() and not state["coverage"][2].any()
    np.testing.assert_allclose(weights[:2].sum(-1), 1, atol=1e-6)


def test_a_little_fertility_is_a_lot_of_coverage_but_finite():
    layer = CoverageAttention(8, 2.0)
    layer.build(QUERY.shape, VALUE.shape)
    layer.fertility_kernel.assign(ops.full((7, 1), -1e4))
    _, weights = attend(layer, QUERY, np.abs(VALUE))
    assert np.isfinite(weights).all()
    np.testing.assert_allclose(weights.sum(-1), 1, atol=1e-6)


@pytest.mark.parametrize("query_mask", [None, QUERY_MASK, np.zeros_like(QUERY_MASK)])
def test_loss_is_the_mean_over_kept_steps_in_training_only(query_mask):
    layer = CoverageAttention(8, coverage_loss_weight=0.5)
    _, weights = attend(layer, QUERY, VALUE, query_mask=query_mask, training=True)
    losses = coverage_losses(weights, query_mask)
    steps = losses.size if query_mask is None else max(query_mask.sum(), 1)
    np.testing.assert_allclose(arrays_of(layer.losses), [0.5 * losses.sum() / steps], rtol=1e-4)

    quiet = CoverageAttention(8, coverage_loss_weight=0.5)
    quiet(QUERY, VALUE, training=False)
    quiet(QUERY[:, 0], VALUE, training=True)
    assert quiet.losses == []
    without = CoverageAttention(8)
    without(QUERY, VALUE, training=True)
    assert without.losses == []


@pytest.mark.parametrize("fertility", FERTILITIES)
def test_fit_reaches_every_weight(fertility):
    query, value = keras.Input((5, 4)), keras.Input((6, 7))
    layer = CoverageAttention(8, fertility, coverage_loss_weight=1.0, use_bias=True)
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
        {"previous_weights": np.zeros((3, 6), "float32")},
        {"coverage": np.zeros((3, 5), "float32")},
        {"coverage": np.zeros((2, 6), "float32")},
        np.zeros((3, 6), "float32"),
    ],
)
def test_the_state_of_another_layer_is_refused(state):
    with pytest.raises(ValueError, match="Expected `attention_state`.*coverage.*Received"):
        CoverageAttention(8)(QUERY, VALUE, attention_state=state)


def test_keys_without_fertilities_are_refused():
    layer, plain = CoverageAttention(8, 2.0), CoverageAttention(8)
    layer.build(QUERY.shape, VALUE.shape)
    plain.build(QUERY.shape, VALUE.shape)
    with pytest.raises(ValueError, match=r"Expected `keys` of shape \(3, 6, 9\)"):
        layer(QUERY, VALUE, keys=plain.project_keys(VALUE))


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"units": 0}, "`units` must be a positive integer. Received: units=0"),
        ({"fertility": 0}, "`fertility` must be a positive number. Received: fertility=0"),
        ({"coverage_loss_weight": -1.0}, "number of at least 0.*coverage_loss_weight=-1.0"),
        ({"coverage_loss_weight": None}, "number of at least 0.*coverage_loss_weight=None"),
    ],
)
def test_arguments_out_of_range_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        CoverageAttention(**{"units": 8, **arguments})


def test_config_makes_the_same_layer():
    arguments = {
        "units": 8,
        "fertility": 2.0,
        "coverage_loss_weight": 0.5,
        "use_bias": True,
        "temperature": 2.0,
        "name": "attention",
    }
    config = CoverageAttention(**arguments).get_config()
    assert config.items() >= arguments.items()
    assert CoverageAttention.from_config(config).get_config() == config


@pytest.mark.parametrize("fertility", FERTILITIES)
def test_saved_and_loaded_in_a_functional_model(fertility, tmp_path):
    query, value = keras.Input((None, 4)), keras.Input((None, 7))
    layer = CoverageAttention(8, fertility, normalize=True, layer_normalization=True)
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
@pytest.mark.parametrize("fertility", FERTILITIES)
def test_half_precision_is_finite_at_extreme_scores(fertility, dtype):
    layer = CoverageAttention(8, fertility, dtype=f"mixed_{dtype}")
    exact = CoverageAttention(8, fertility)
    for one in (layer, exact):
        one.build(QUERY.shape, VALUE.shape)
    exact.set_weights(layer.get_weights())
    context, weights = layer(QUERY, VALUE, value_mask=VALUE_MASK, return_attention_scores=True)
    assert {keras.backend.standardize_dtype(x.dtype) for x in (context, weights)} == {dtype}
    _, expected = attend(exact, QUERY, VALUE, value_mask=VALUE_MASK)
    np.testing.assert_allclose(arrays_of(ops.cast(weights, "float32")), expected, atol=0.02)

    layer.set_weights([1000 * weight for weight in layer.get_weights()])
    outputs = layer(QUERY, VALUE, value_mask=VALUE_MASK, return_attention_scores=True)
    for output in outputs:
        output = arrays_of(ops.cast(output, "float32"))
        assert np.isfinite(output).all() and not output[2].any()


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_coverage_is_summed_exactly_in_half_precision(dtype):
    # In the sum of half precision itself, small weights would get lost after a while.
    layer = CoverageAttention(4, dtype=dtype)
    queries = np.zeros((1, 600, 3), "float32")
    _, state = layer(queries, np.ones((1, 7, 2), "float32"), return_attention_state=True)
    np.testing.assert_allclose(arrays_of(state["coverage"]), 600 / 7, rtol=1e-4)


WEIGHTS = np.random.default_rng(1).dirichlet(np.ones(6), size=(3, 5)).astype("float32")
# Not only at the end; and no query at all.
LOSS_MASK = np.array([[1, 1, 1, 1, 1], [1, 0, 1, 1, 0], [0, 0, 0, 0, 0]], dtype=bool)


@pytest.mark.parametrize("query_mask", [None, LOSS_MASK])
def test_loss_equals_the_papers_equation(query_mask):
    losses = arrays_of(coverage_loss(WEIGHTS, query_mask))
    np.testing.assert_allclose(losses, coverage_losses(WEIGHTS, query_mask), atol=1e-6)


def test_looking_at_one_place_again_costs_one_and_elsewhere_nothing():
    steps = np.eye(4, dtype="float32")[[2, 0, 2, 1, 0]]
    np.testing.assert_array_equal(arrays_of(coverage_loss(steps[None])), [[0, 0, 1, 0, 1]])


def test_masked_queries_of_the_loss_are_as_if_they_were_not_there():
    losses = arrays_of(coverage_loss(WEIGHTS, LOSS_MASK))
    assert not losses[~LOSS_MASK].any()
    kept = LOSS_MASK[1]
    np.testing.assert_allclose(
        losses[1, kept], arrays_of(coverage_loss(WEIGHTS[1:2, kept]))[0], atol=1e-6
    )


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_loss_of_half_precision_is_summed_in_float32(dtype):
    losses = coverage_loss(ops.cast(ops.full((1, 5000, 1), 1.0), dtype))
    assert keras.backend.standardize_dtype(losses.dtype) == "float32"
    np.testing.assert_array_equal(arrays_of(losses)[0], [0.0] + [1.0] * 4999)


def test_wrong_shapes_of_the_loss_are_refused():
    with pytest.raises(ValueError, match=r"attention_scores.*Received.*\(5, 6\)"):
        coverage_loss(WEIGHTS[0])
    with pytest.raises(ValueError, match=r"query_mask.*Received.*shape=\(3, 4\)"):
        coverage_loss(WEIGHTS, LOSS_MASK[:, :4])
    with pytest.raises(ValueError, match="query_mask.*Received: dtype=float32"):
        coverage_loss(WEIGHTS, LOSS_MASK.astype("float32"))
