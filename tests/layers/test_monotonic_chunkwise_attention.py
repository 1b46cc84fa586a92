import keras
import numpy as np
import pytest
from attention_oracle import arrays_of
from keras import ops
from monotonic_layers import QUERY, VALUE, VALUE_MASK, attend, built
from monotonic_oracle import (
    chunk_weights,
    gradients,
    monotonic_attention,
    monotonic_chunkwise_attention,
    numeric_gradients,
)

from keras_bahdanau.layers.monotonic_attention import MODES, MonotonicAttention
from keras_bahdanau.layers.monotonic_chunkwise_attention import (
    MonotonicChunkwiseAttention,
    chunkwise_weights,
)


def new_layer(chunk_size=3, **kwargs):
    return built(MonotonicChunkwiseAttention, 8, chunk_size, **kwargs)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("value_mask", [None, VALUE_MASK])
def test_equals_the_papers_equations(mode, value_mask):
    layer = new_layer(mode=mode)
    context, weights, state = attend(layer, QUERY, VALUE, value_mask=value_mask)
    expected = monotonic_chunkwise_attention(layer, QUERY, VALUE, value_mask=value_mask, mode=mode)
    np.testing.assert_allclose(weights, expected, atol=1e-5)
    np.testing.assert_allclose(context, expected @ VALUE, atol=1e-5)
    alphas = monotonic_attention(layer, QUERY, VALUE, value_mask=value_mask, mode=mode)
    np.testing.assert_allclose(state["previous_weights"], alphas[:, -1], atol=1e-5)


@pytest.mark.parametrize("mode", MODES)
def test_chunks_of_one_are_monotonic_attention(mode):
    layer = new_layer(chunk_size=1, mode=mode)
    monotonic = MonotonicAttention(8, mode=mode)
    monotonic.build(QUERY.shape, VALUE.shape)
    monotonic.set_weights(layer.get_weights()[: len(monotonic.weights)])
    for first, second in zip(
        keras.tree.flatten(attend(layer, QUERY, VALUE, value_mask=VALUE_MASK)),
        keras.tree.flatten(attend(monotonic, QUERY, VALUE, value_mask=VALUE_MASK)),
        strict=True,
    ):
        np.testing.assert_allclose(first, second, atol=1e-6)


@pytest.mark.parametrize("mode", MODES)
def test_a_sequence_is_one_step_after_the_other(mode):
    layer = new_layer(mode=mode)
    contexts, weights, last = attend(layer, QUERY, VALUE, value_mask=VALUE_MASK)
    keys, state = layer.project_keys(VALUE), None
    assert tuple(keys.shape) == (4, 7, layer.keys_dim) == (4, 7, 16)
    for i in range(QUERY.shape[1]):
        context, weight, state = attend(
            layer, QUERY[:, i], VALUE, value_mask=VALUE_MASK, keys=keys, attention_state=state
        )
        np.testing.assert_allclose(context, contexts[:, i], atol=1e-5)
        np.testing.assert_allclose(weight, weights[:, i], atol=1e-6)
    np.testing.assert_allclose(state["previous_weights"], last["previous_weights"], atol=1e-6)


def test_hard_weights_are_in_one_chunk_and_sum_to_one_or_zero():
    _, weights, state = attend(new_layer(mode="hard"), QUERY, VALUE)
    sums = weights.sum(-1)
    np.testing.assert_allclose(sums, np.round(sums), atol=1e-6)
    assert sums.max() == pytest.approx(1)
    for row in weights.reshape(-1, 7):
        positions = np.flatnonzero(row)
        assert not len(positions) or positions[-1] - positions[0] < 3
    assert set(np.unique(state["previous_weights"])) <= {0, 1}


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


def test_noise_is_for_training_alone_and_spares_the_second_score():
    layer, quiet = new_layer(sigmoid_noise=2.0, seed=3), new_layer()
    quiet.set_weights(layer.get_weights())
    expected = attend(quiet, QUERY, VALUE)[1]
    np.testing.assert_array_equal(attend(layer, QUERY, VALUE)[1], expected)
    assert np.abs(attend(layer, QUERY, VALUE, training=True)[1] - expected).max() > 0.1
    # Where a chunk is sure to end at every step, only the second score is left.
    for certain in (layer, quiet):
        certain.score_bias.assign(100.0)
    np.testing.assert_allclose(
        attend(layer, QUERY, VALUE, training=True)[1], attend(quiet, QUERY, VALUE)[1], atol=1e-6
    )


@pytest.mark.parametrize("mode, gain", [("parallel", 1.0), ("recursive", 1.0), ("recursive", 1e5)])
def test_a_training_step_moves_all_weights_by_finite_gradients(mode, gain):
    layer = new_layer(mode=mode, sigmoid_noise=1.0)
    query, value = keras.Input(QUERY.shape[1:]), keras.Input(VALUE.shape[1:])
    mask = keras.Input(VALUE_MASK.shape[1:], dtype="bool")
    context = layer(query, value, value_mask=mask)
    model = keras.Model([query, value, mask], keras.layers.Dense(1)(context))
    layer.gain.assign(gain)
    before = [arrays_of(weight.value).copy() for weight in layer.trainable_weights]
    model.compile(keras.optimizers.SGD(1.0), "mse")
    model.train_on_batch([QUERY, VALUE, VALUE_MASK], np.ones((*QUERY.shape[:2], 1)))
    after = [arrays_of(weight.value) for weight in layer.trainable_weights]
    moves = [np.abs(first - second).max() for first, second in zip(before, after, strict=True)]
    assert len(moves) == 10 and np.isfinite(moves).all()
    # Where every probability is zero or one there is nothing to learn from.
    assert gain > 1e3 or min(moves) > 0


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision_is_finite_at_extreme_scores(mode, dtype):
    layer = new_layer(mode=mode, dtype=f"mixed_{dtype}")
    layer.gain.assign(1e4)
    layer.chunk_attention.scale.assign(np.full(8, 1e4))
    context, weights, state = layer(
        100 * QUERY,
        VALUE,
        value_mask=VALUE_MASK,
        return_attention_scores=True,
        return_attention_state=True,
    )
    assert keras.backend.standardize_dtype(state["previous_weights"].dtype) == "float32"
    for tensor in (context, weights):
        assert keras.backend.standardize_dtype(tensor.dtype) == dtype
        assert np.isfinite(arrays_of(ops.cast(tensor, "float32"))).all()
    assert arrays_of(ops.cast(weights, "float32")).sum(-1).max() <= 1.01


def test_weights_are_found_by_path():
    layer = new_layer()
    paths = {weight.path.split("/", 1)[1] for weight in layer.weights}
    second = {"query_kernel", "key_kernel", "scale", "bias"}
    assert paths == {*second, "gain", "score_bias", *(f"chunk_attention/{name}" for name in second)}


def test_the_regularizer_is_for_both_scores():
    layer = new_layer(kernel_regularizer=keras.regularizers.L2(0.5))
    assert len(layer.losses) == 4


def test_wrong_use_is_named():
    with pytest.raises(ValueError, match="`chunk_size` must be a positive integer. .*chunk_size=0"):
        MonotonicChunkwiseAttention(8, chunk_size=0)
    layer = new_layer()
    with pytest.raises(ValueError, match="Expected `attention_state`.*previous_weights"):
        layer(QUERY, VALUE, attention_state={"coverage": np.zeros((4, 7))})
    with pytest.raises(ValueError, match=r"Expected `keys` of shape \(4, 7, 16\)"):
        layer(QUERY, VALUE, keys=np.zeros((4, 7, 8)))


def test_the_config_makes_an_equal_layer():
    layer = MonotonicChunkwiseAttention(
        8, 3, mode="recursive", inference_mode="hard", sigmoid_noise=0.5, normalize=False, seed=4
    )
    again = MonotonicChunkwiseAttention.from_config(layer.get_config())
    assert again.get_config() == layer.get_config()
    assert again.chunk_attention.get_config() == layer.chunk_attention.get_config()


def test_a_saved_model_answers_as_before_for_any_length(tmp_path):
    layer = new_layer(sigmoid_noise=1.0, inference_mode="hard")
    query, value = keras.Input((None, 5)), keras.Input((None, 6))
    mask = keras.Input((None,), dtype="bool")
    outputs = layer(query, value, value_mask=mask, return_attention_scores=True)
    model = keras.Model([query, value, mask], outputs)
    model.save(tmp_path / "model.keras")
    reloaded = keras.saving.load_model(tmp_path / "model.keras")
    for length in (7, 4):
        inputs = [QUERY[:, : length - 3], VALUE[:, :length], VALUE_MASK[:, :length]]
        expected = attend(layer, *inputs[:2], value_mask=inputs[2])
        received = reloaded.predict(inputs, verbose=0)
        for first, second in zip(received, expected[:2], strict=True):
            np.testing.assert_allclose(first, second, atol=1e-5)


ALIGNMENT = np.random.default_rng(1).dirichlet(np.ones(7), size=3) * 0.8
SCORES = np.random.default_rng(2).normal(size=(3, 7)) * 2
CHUNK_MASK = np.array([[1] * 7, [0, 1, 1, 0, 1, 0, 0], [0] * 7], dtype=bool)


def spread(alignment, scores, chunk_size, mask=None):
    tensors = [keras.ops.convert_to_tensor(x, dtype="float32") for x in (alignment, scores)]
    return arrays_of(chunkwise_weights(*tensors, chunk_size, mask))


def double_sum(alignment, scores, chunk_size, mask=None):
    mask = [None] * len(scores) if mask is None else mask
    rows = zip(alignment, scores, mask, strict=True)
    return np.stack([chunk_weights(alpha, u, chunk_size, kept) for alpha, u, kept in rows])


def moving_sum(values, back, ahead):
    """The paper's MovingSum: at n, the sum from n - (back - 1) to n + ahead - 1."""
    sums = np.zeros_like(values)
    for n in range(values.shape[1]):
        sums[:, n] = values[:, max(n - back + 1, 0) : n + ahead].sum(axis=1)
    return sums


@pytest.mark.parametrize("chunk_size", [1, 2, 3, 7, 20])
@pytest.mark.parametrize("mask", [None, CHUNK_MASK])
def test_equals_the_papers_double_sum(chunk_size, mask):
    alignment = ALIGNMENT if mask is None else ALIGNMENT * mask
    np.testing.assert_allclose(
        spread(alignment, SCORES, chunk_size, mask),
        double_sum(alignment, SCORES, chunk_size, mask),
        atol=1e-6,
    )


@pytest.mark.parametrize("chunk_size", [1, 2, 5])
def test_equals_the_papers_moving_sums(chunk_size):
    exponentials = np.exp(SCORES)
    inner = ALIGNMENT / moving_sum(exponentials, chunk_size, 1)
    expected = exponentials * moving_sum(inner, 1, chunk_size)
    np.testing.assert_allclose(spread(ALIGNMENT, SCORES, chunk_size), expected, atol=1e-6)


def test_a_hard_selection_gives_the_softmax_of_its_chunk():
    weights = spread(np.eye(7)[[0, 1, 5]], SCORES, 3)
    for row, scores, chunk in zip(
        weights, SCORES, (slice(0, 1), slice(0, 2), slice(3, 6)), strict=True
    ):
        expected = np.zeros(7)
        expected[chunk] = np.exp(scores[chunk]) / np.exp(scores[chunk]).sum()
        np.testing.assert_allclose(row, expected, atol=1e-6)


def test_a_chunk_of_one_is_its_end():
    np.testing.assert_array_equal(spread(ALIGNMENT, SCORES, 1), ALIGNMENT.astype("float32"))


def test_the_sum_stays_and_padding_gets_nothing():
    alignment = ALIGNMENT * CHUNK_MASK
    weights = spread(alignment, SCORES, 3, CHUNK_MASK)
    np.testing.assert_allclose(weights.sum(axis=1), alignment.sum(axis=1), atol=1e-6)
    assert not weights[~CHUNK_MASK].any()


def test_a_chunk_far_below_the_highest_score_keeps_its_softmax():
    scores = np.array([[0.0, 1.0, 1e4, -1e4, -1e4 + 1, 0.0]])
    alignment = np.eye(6)[None, 4]
    expected = 1 / (1 + np.e)
    np.testing.assert_allclose(
        spread(alignment, scores, 2), [[0, 0, 0, expected, 1 - expected, 0]], atol=1e-6
    )


@pytest.mark.parametrize("mask", [None, CHUNK_MASK])
def test_gradients_of_chunkwise_weights_are_the_numeric_ones(mask):
    probe = np.random.default_rng(2).normal(size=SCORES.shape)
    alignment = ALIGNMENT if mask is None else ALIGNMENT * mask
    received = gradients(
        lambda *arguments: chunkwise_weights(*arguments, 3, mask), alignment, SCORES, probe=probe
    )
    expected = numeric_gradients(
        lambda *arguments: double_sum(*arguments, 3, mask), alignment, SCORES, probe=probe
    )
    if mask is not None:
        # No weight arrives at padding, so what it would give does not matter.
        received[0], expected[0] = received[0] * mask, expected[0] * mask
    for first, second in zip(received, expected, strict=True):
        np.testing.assert_allclose(first, second, atol=1e-5)
