"""What holds for the weights of every layer of the family, whatever it is given."""

import hypothesis
import numpy as np
import pytest
from attention_oracle import arrays_of
from family import ATTENTIONS, new_attention
from hypothesis import strategies
from hypothesis.extra.numpy import arrays

# Fixed sizes: backends that compile each shape would spend all their time on it.
BATCH_SIZE, QUERY_LENGTH, VALUE_LENGTH = 4, 3, 5
SOFTMAX = ("plain", "layer_normalized", "hardmax", "location_both", "coverage_fertile")
MONOTONIC = ("monotonic", "monotonic_parallel", "monotonic_hard", "chunkwise", "chunkwise_hard")
# A location-sensitive layer sees where a position is, and a monotonic one goes through the memory
# in its order: for these an order is a part of what they are given.
WITHOUT_ORDER = ("plain", "layer_normalized", "coverage", "coverage_fertile")
# The others know of the queries before: their order counts.
STATELESS = ("plain", "all", "layer_normalized", "hardmax")

MASKS = arrays(bool, (BATCH_SIZE, VALUE_LENGTH))
SEEDS = strategies.integers(0, 2**32 - 1)


def few_examples(count):
    """No more than that many, the same in every run."""
    return hypothesis.settings(max_examples=count, derandomize=True, deadline=None)


@pytest.fixture(scope="module")
def layers():
    """One layer of each kind, of large weights, built once."""
    made = {}
    for name in ATTENTIONS:
        made[name] = layer = new_attention(name)
        layer.build((None, QUERY_LENGTH, 3), (None, VALUE_LENGTH, 4))
        layer.set_weights([3 * weight for weight in layer.get_weights()])
    return made


def inputs_of(seed):
    generator = np.random.default_rng(seed)
    return (
        generator.normal(size=(BATCH_SIZE, QUERY_LENGTH, 3)).astype("float32"),
        generator.normal(size=(BATCH_SIZE, VALUE_LENGTH, 4)).astype("float32"),
        generator,
    )


def attend(layer, query, value, mask):
    return arrays_of(layer(query, value, value_mask=mask, return_attention_scores=True))


@pytest.mark.parametrize("name", SOFTMAX)
@few_examples(10)
@hypothesis.given(seed=SEEDS, mask=MASKS)
def test_weights_sum_to_one_over_what_is_kept(layers, name, seed, mask):
    query, value, _ = inputs_of(seed)
    _, weights = attend(layers[name], query, value, mask)
    expected = np.broadcast_to(mask.any(1, keepdims=True), weights.shape[:2])
    np.testing.assert_allclose(weights.sum(-1), expected, atol=1e-5)
    assert (weights >= 0).all()
    assert not weights[np.broadcast_to(~mask[:, None], weights.shape)].any()


@pytest.mark.parametrize("name", MONOTONIC)
@few_examples(10)
@hypothesis.given(seed=SEEDS, mask=MASKS)
def test_monotonic_weights_sum_to_no_more_than_one(layers, name, seed, mask):
    query, value, _ = inputs_of(seed)
    _, weights = attend(layers[name], query, value, mask)
    # Ending where the step before ended or later, what is gone stays gone.
    sums = weights.sum(-1)
    assert (sums <= 1 + 1e-5).all() and (np.diff(sums, axis=1) <= 1e-5).all()
    assert (weights >= 0).all()
    assert not weights[np.broadcast_to(~mask[:, None], weights.shape)].any()


@pytest.mark.parametrize("name", [*SOFTMAX, "location_window", *MONOTONIC])
@few_examples(5)
@hypothesis.given(seed=SEEDS, mask=MASKS)
def test_more_padding_changes_nothing(layers, name, seed, mask):
    query, value, generator = inputs_of(seed)
    context, weights = attend(layers[name], query, value, mask)
    padding = 10 * generator.normal(size=(BATCH_SIZE, 2, 4)).astype("float32")
    padded_mask = np.concatenate([mask, np.zeros((BATCH_SIZE, 2), bool)], axis=1)
    padded_value = np.concatenate([value, padding], axis=1)
    padded_context, padded_weights = attend(layers[name], query, padded_value, padded_mask)
    np.testing.assert_allclose(padded_weights[..., :VALUE_LENGTH], weights, atol=1e-5)
    np.testing.assert_allclose(padded_context, context, atol=1e-5)
    assert not padded_weights[..., VALUE_LENGTH:].any()


@pytest.mark.parametrize("name", WITHOUT_ORDER)
@few_examples(5)
@hypothesis.given(seed=SEEDS, mask=MASKS, order=strategies.permutations(range(VALUE_LENGTH)))
def test_weights_go_with_the_positions(layers, name, seed, mask, order):
    query, value, _ = inputs_of(seed)
    context, weights = attend(layers[name], query, value, mask)
    moved_context, moved_weights = attend(layers[name], query, value[:, order], mask[:, order])
    np.testing.assert_allclose(moved_weights, weights[..., order], atol=1e-5)
    np.testing.assert_allclose(moved_context, context, atol=1e-5)


@pytest.mark.parametrize("name", STATELESS)
@few_examples(5)
@hypothesis.given(seed=SEEDS, mask=MASKS, order=strategies.permutations(range(QUERY_LENGTH)))
def test_contexts_go_with_the_queries(layers, name, seed, mask, order):
    query, value, _ = inputs_of(seed)
    context, weights = attend(layers[name], query, value, mask)
    moved_context, moved_weights = attend(layers[name], query[:, order], value, mask)
    np.testing.assert_allclose(moved_weights, weights[:, order], atol=1e-6)
    np.testing.assert_allclose(moved_context, context[:, order], atol=1e-5)
