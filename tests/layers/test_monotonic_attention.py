import keras
import numpy as np
import pytest
from attention_oracle import arrays_of
from keras import ops
from monotonic_layers import KEY, QUERY, VALUE, VALUE_MASK, attend, built
from monotonic_oracle import energies, monotonic_attention

from keras_bahdanau.layers.monotonic_attention import MODES, MonotonicAttention


def new_layer(**kwargs):
    return built(MonotonicAttention, 8, **kwargs)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("normalize", [True, False])
@pytest.mark.parametrize("value_mask", [None, VALUE_MASK])
def test_equals_the_papers_equations(mode, normalize, value_mask):
    layer = new_layer(mode=mode, normalize=normalize)
    context, weights, state = attend(layer, QUERY, VALUE, value_mask=value_mask)
    expected = monotonic_attention(layer, QUERY, VALUE, value_mask=value_mask, mode=mode)
    np.testing.assert_allclose(weights, expected, atol=1e-5)
    np.testing.assert_allclose(context, expected @ VALUE, atol=1e-5)
    np.testing.assert_array_equal(state["previous_weights"], weights[:, -1])


def test_a_key_of_its_own_takes_part_in_the_score():
    layer = MonotonicAttention(8)
    context, weights, _ = attend(layer, QUERY, VALUE, key=KEY)
    expected = monotonic_attention(layer, QUERY, VALUE, key=KEY)
    np.testing.assert_allclose(weights, expected, atol=1e-6)
    np.testing.assert_allclose(context, expected @ VALUE, atol=1e-5)
    keys = layer.project_keys(KEY)
    np.testing.assert_allclose(attend(layer, QUERY, VALUE, keys=keys)[1], weights, atol=1e-6)


@pytest.mark.parametrize("mode", MODES)
def test_a_sequence_is_one_step_after_the_other(mode):
    layer = new_layer(mode=mode)
    contexts, weights, last = attend(layer, QUERY, VALUE, value_mask=VALUE_MASK)
    state = None
    for i in range(QUERY.shape[1]):
        context, weight, state = attend(
            layer, QUERY[:, i], VALUE, value_mask=VALUE_MASK, attention_state=state
        )
        np.testing.assert_allclose(context, contexts[:, i], atol=1e-5)
        np.testing.assert_allclose(weight, weights[:, i], atol=1e-6)
    np.testing.assert_allclose(state["previous_weights"], last["previous_weights"], atol=1e-6)


def test_the_initial_state_is_the_first_position():
    layer = new_layer()
    state = arrays_of(layer.get_initial_state(VALUE))
    np.testing.assert_array_equal(state["previous_weights"], np.tile(np.eye(7)[0], (4, 1)))
    given = attend(layer, QUERY, VALUE, attention_state=layer.get_initial_state(VALUE))
    np.testing.assert_array_equal(given[1], attend(layer, QUERY, VALUE)[1])


@pytest.mark.parametrize("mode", ["parallel", "recursive"])
def test_expected_weights_sum_to_less_and_less(mode):
    _, weights, _ = attend(new_layer(mode=mode), QUERY, VALUE, value_mask=VALUE_MASK)
    sums = np.concatenate([np.ones((4, 1)), weights.sum(-1)], axis=1)
    assert (weights >= 0).all() and (np.diff(sums, axis=1) <= 1e-6).all()


def test_hard_weights_choose_one_position_and_never_one_before():
    layer = new_layer(mode="hard")
    context, weights, _ = attend(layer, QUERY, VALUE, value_mask=VALUE_MASK)
    assert set(np.unique(weights)) == {0, 1}
    for sentence, chosen in enumerate(weights):
        positions = [int(row.argmax()) for row in chosen if row.any()]
        assert positions == sorted(positions)
        assert not chosen[len(positions) :].any() and not context[sentence, len(positions) :].any()
        for i, position in enumerate(positions):
            np.testing.assert_array_equal(context[sentence, i], VALUE[sentence, position])


def test_where_scores_are_far_from_zero_the_modes_are_one():
    layers = [new_layer(mode=mode) for mode in ("recursive", "hard")]
    for layer in layers:
        layer.set_weights(layers[0].get_weights())
        layer.gain.assign(1e6)
    assert np.abs(energies(layers[0], QUERY, VALUE)).min() > 20
    weights = [attend(layer, QUERY, VALUE, value_mask=VALUE_MASK)[1] for layer in layers]
    np.testing.assert_allclose(weights[0], weights[1], atol=1e-6)


@pytest.mark.parametrize("mode", MODES)
def test_padding_changes_nothing(mode):
    layer = new_layer(mode=mode)
    context, weights, _ = attend(layer, QUERY, VALUE, value_mask=VALUE_MASK)
    other = np.where(VALUE_MASK[..., None], VALUE, 1e3).astype("float32")
    other = np.pad(other, ((0, 0), (0, 3), (0, 0)))
    mask = np.pad(VALUE_MASK, ((0, 0), (0, 3)))
    other_context, other_weights, _ = attend(layer, QUERY, other, value_mask=mask)
    np.testing.assert_allclose(other_weights[..., :7], weights, atol=1e-6)
    np.testing.assert_allclose(other_context, context, atol=1e-5)
    assert not other_weights[~np.broadcast_to(mask[:, None], other_weights.shape)].any()
    assert not weights[3].any() and not context[3].any()


def test_mode_is_for_training_and_inference_mode_for_the_rest():
    layer = new_layer(mode="recursive", inference_mode="hard")
    soft = monotonic_attention(layer, QUERY, VALUE)
    hard = monotonic_attention(layer, QUERY, VALUE, mode="hard")
    for training, expected in ((True, soft), (False, hard), (None, hard)):
        weights = attend(layer, QUERY, VALUE, training=training)[1]
        np.testing.assert_allclose(weights, expected, atol=1e-5)


def test_noise_is_for_training_alone_and_has_a_seed():
    layer, same = (new_layer(sigmoid_noise=2.0, seed=3) for _ in range(2))
    same.set_weights(layer.get_weights())
    quiet = new_layer()
    quiet.set_weights(layer.get_weights())
    for training in (False, None):
        np.testing.assert_array_equal(
            attend(layer, QUERY, VALUE, training=training)[1], attend(quiet, QUERY, VALUE)[1]
        )
    noisy = attend(layer, QUERY, VALUE, training=True)[1]
    assert np.abs(noisy - attend(quiet, QUERY, VALUE)[1]).max() > 0.1
    np.testing.assert_array_equal(attend(same, QUERY, VALUE, training=True)[1], noisy)
    assert np.abs(attend(layer, QUERY, VALUE, training=True)[1] - noisy).max() > 0.1
    np.testing.assert_array_equal(
        attend(quiet, QUERY, VALUE, training=True)[1], attend(quiet, QUERY, VALUE)[1]
    )


def test_noise_has_the_asked_standard_deviation():
    noise = arrays_of(new_layer(sigmoid_noise=0.5, seed=1).draw_noise(50, 20, 30, training=True))
    np.testing.assert_allclose([noise.mean(), noise.std()], [0, 0.5], atol=0.02)


def trained_step(layer, gain=None):
    """How far a training step moves the layer's weights."""
    query, value = keras.Input(QUERY.shape[1:]), keras.Input(VALUE.shape[1:])
    mask = keras.Input(VALUE_MASK.shape[1:], dtype="bool")
    context = layer(query, value, value_mask=mask)
    model = keras.Model([query, value, mask], keras.layers.Dense(1)(context))
    if gain is not None:
        layer.gain.assign(gain)
    before = [arrays_of(weight.value).copy() for weight in layer.trainable_weights]
    model.compile(keras.optimizers.SGD(1.0), "mse")
    model.train_on_batch([QUERY, VALUE, VALUE_MASK], np.ones((*QUERY.shape[:2], 1)))
    after = [arrays_of(weight.value) for weight in layer.trainable_weights]
    return [np.abs(first - second).max() for first, second in zip(before, after, strict=True)]


@pytest.mark.parametrize("mode", ["parallel", "recursive"])
@pytest.mark.parametrize("gain", [1.0, 1e5])
def test_a_training_step_moves_all_weights_by_finite_gradients(mode, gain):
    moves = trained_step(new_layer(mode=mode, sigmoid_noise=1.0), gain=gain)
    assert len(moves) == 6 and np.isfinite(moves).all()
    # Where every probability is zero or one there is nothing to learn from.
    assert gain > 1e3 or min(moves) > 0


# PyTorch has no gradient there where the others have zeros.
@pytest.mark.filterwarnings("ignore:Gradients do not exist for variables")
def test_the_hard_mode_teaches_the_scores_nothing():
    assert trained_step(new_layer(mode="hard")) == [0] * 6


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision_is_finite_at_extreme_scores(mode, dtype):
    layer = new_layer(mode=mode, sigmoid_noise=1.0, dtype=f"mixed_{dtype}")
    layer.gain.assign(1e4)
    for training in (False, True):
        context, weights, state = layer(
            100 * QUERY,
            VALUE,
            value_mask=VALUE_MASK,
            training=training,
            return_attention_scores=True,
            return_attention_state=True,
        )
        assert keras.backend.standardize_dtype(state["previous_weights"].dtype) == "float32"
        for tensor in (context, weights):
            assert keras.backend.standardize_dtype(tensor.dtype) == dtype
            assert np.isfinite(arrays_of(ops.cast(tensor, "float32"))).all()
        weights = arrays_of(ops.cast(weights, "float32"))
        assert weights.sum(-1).max() <= 1.01 and not weights[3].any()


def test_a_state_of_another_layer_is_refused():
    layer, state = new_layer(), ops.zeros((4, 7))
    for wrong in ({"coverage": state}, {}, {"previous_weights": state[:, :6]}, state):
        with pytest.raises(ValueError, match="Expected `attention_state`.*previous_weights"):
            layer(QUERY, VALUE, attention_state=wrong)


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"units": 0}, r"`units` must be a positive integer. Received: units=0"),
        ({"mode": "soft"}, r"`mode` must be one of .* Received: mode='soft'"),
        ({"inference_mode": "soft"}, r"`inference_mode` must be one of .* inference_mode='soft'"),
        (
            {"sigmoid_noise": -1.0},
            r"`sigmoid_noise` must be a number of at least 0. .* sigmoid_noise=-1.0",
        ),
    ],
)
def test_wrong_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        MonotonicAttention(**{"units": 8, **arguments})


def test_the_config_makes_an_equal_layer():
    arguments = {"mode": "recursive", "inference_mode": "hard", "sigmoid_noise": 0.5, "seed": 4}
    bias = keras.initializers.Constant(-2.0)
    layer = MonotonicAttention(8, normalize=False, score_bias_initializer=bias, **arguments)
    again = MonotonicAttention.from_config(layer.get_config())
    assert again.get_config() == layer.get_config()
    again.build(QUERY.shape, VALUE.shape)
    assert arrays_of(again.score_bias.value) == -2 and again.gain is None


def test_a_saved_model_answers_as_before_for_any_length(tmp_path):
    layer = new_layer(sigmoid_noise=1.0, inference_mode="recursive")
    query, value = keras.Input((None, 5)), keras.Input((None, 6))
    mask = keras.Input((None,), dtype="bool")
    outputs = layer(
        query, value, value_mask=mask, return_attention_scores=True, return_attention_state=True
    )
    model = keras.Model([query, value, mask], outputs)
    model.save(tmp_path / "model.keras")
    reloaded = keras.saving.load_model(tmp_path / "model.keras")
    for length in (7, 4):
        inputs = [QUERY[:, : length - 3], VALUE[:, :length], VALUE_MASK[:, :length]]
        expected = attend(layer, *inputs[:2], value_mask=inputs[2])
        received = reloaded.predict(inputs, verbose=0)
        for first, second in zip(received[:2], expected[:2], strict=True):
            np.testing.assert_allclose(first, second, atol=1e-5)
        np.testing.assert_allclose(
            received[2]["previous_weights"], expected[2]["previous_weights"], atol=1e-5
        )
