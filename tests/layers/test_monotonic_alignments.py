import keras
import numpy as np
import pytest
from attention_oracle import arrays_of
from hypothesis import given
from hypothesis import strategies as st
from monotonic_oracle import (
    enumerated_alignment,
    expected_alignment,
    gradients,
    hard_positions,
    numeric_gradients,
)

from keras_bahdanau.layers.monotonic_alignments import (
    ALIGNMENTS,
    hard_alignment,
    parallel_alignment,
    recursive_alignment,
)

RANDOM = np.random.default_rng(1)
SOFT = [parallel_alignment, recursive_alignment]


def of_rows(function, probabilities, previous):
    """A function of one sentence, over a batch."""
    rows = [function(p, alpha) for p, alpha in zip(probabilities, previous, strict=True)]
    return np.stack(rows)


def random_arguments(batch_size, length, low=0.1, high=0.9):
    previous = RANDOM.dirichlet(np.ones(length), size=batch_size)
    return RANDOM.uniform(low, high, size=(batch_size, length)), previous


def first(batch_size, length):
    return np.tile(np.eye(length)[0], (batch_size, 1))


def aligned(alignment, probabilities, previous):
    return arrays_of(alignment(probabilities.astype("float32"), previous.astype("float32")))


def test_the_oracles_agree():
    arguments = random_arguments(4, 6)
    np.testing.assert_allclose(
        of_rows(expected_alignment, *arguments), of_rows(enumerated_alignment, *arguments)
    )


@pytest.mark.parametrize("alignment", SOFT)
# Around powers of two, by which the recursion goes.
@pytest.mark.parametrize("length", [1, 2, 3, 7, 8, 9])
def test_soft_alignments_are_the_papers(alignment, length):
    arguments = random_arguments(5, length)
    expected = of_rows(expected_alignment, *arguments)
    np.testing.assert_allclose(aligned(alignment, *arguments), expected, atol=1e-6)


@pytest.mark.parametrize("alignment", SOFT)
def test_several_steps_are_the_papers(alignment):
    weights = expected = first(4, 9)
    for _ in range(5):
        probabilities, _ = random_arguments(4, 9)
        weights = aligned(alignment, probabilities, weights)
        expected = of_rows(expected_alignment, probabilities, expected)
        np.testing.assert_allclose(weights, expected, atol=1e-6)


def test_the_recursion_stays_exact_in_a_long_memory():
    # The attention goes on from position 300, and from 400 on it chooses. That the positions
    # before 300 would be chosen as well must not matter.
    probabilities, previous = np.zeros((1, 500)), np.eye(500)[None, 300]
    probabilities[:, :300], probabilities[:, 400:] = 0.9, 0.5
    weights = aligned(recursive_alignment, probabilities, previous)
    expected = of_rows(expected_alignment, probabilities, previous)
    np.testing.assert_allclose(weights, expected, atol=1e-6)
    np.testing.assert_allclose(weights.sum(), 1, atol=1e-6)


def test_the_closed_form_loses_what_is_behind_a_certain_choice():
    # As its documentation says, and as TensorFlow Addons does.
    probabilities, previous = np.array([[0.5, 1.0, 0.5, 1.0]]), np.eye(4)[None, 2]
    np.testing.assert_allclose(aligned(parallel_alignment, probabilities, previous), 0, atol=1e-20)
    np.testing.assert_allclose(
        aligned(recursive_alignment, probabilities, previous), [[0, 0, 0.5, 0.5]]
    )


@given(st.lists(st.lists(st.booleans(), min_size=5, max_size=5), min_size=1, max_size=6))
def test_hard_alignment_is_the_papers_process(choices):
    choices = np.array(choices)
    weights, positions = first(1, 5), []
    for choice in choices:
        weights = aligned(hard_alignment, choice[None], weights)
        assert set(np.unique(weights)) <= {0, 1} and weights.sum() <= 1
        positions.append(int(np.argmax(weights)) if weights.any() else None)
    assert positions == hard_positions(choices)
    chosen = [position for position in positions if position is not None]
    assert chosen == sorted(chosen)


def test_where_probabilities_are_zeros_and_ones_the_recursion_is_the_choice():
    weights = first(50, 8)
    for _ in range(4):
        choices = RANDOM.integers(2, size=(50, 8))
        hard = aligned(hard_alignment, choices, weights)
        np.testing.assert_array_equal(aligned(recursive_alignment, choices, weights), hard)
        weights = hard


def test_at_the_first_step_so_is_the_closed_form():
    arguments = RANDOM.integers(2, size=(50, 8)), first(50, 8)
    hard = aligned(hard_alignment, *arguments)
    np.testing.assert_allclose(aligned(parallel_alignment, *arguments), hard, atol=1e-20)


@given(st.lists(st.floats(0, 1), min_size=6, max_size=6), st.integers(0, 5))
def test_weights_are_a_part_of_the_former_ones_sum(probabilities, start):
    for alignment in SOFT:
        weights = aligned(alignment, np.array([probabilities]), np.eye(6)[None, start])
        assert weights.min() >= 0 and weights.sum() <= 1 + 1e-6
        assert not weights[0, :start].any()


@pytest.mark.parametrize("alignment", SOFT)
def test_gradients_are_the_numeric_ones(alignment):
    probabilities, previous = random_arguments(2, 5)
    probe = RANDOM.normal(size=(2, 5))
    received = gradients(alignment, probabilities, previous, probe=probe)
    expected = numeric_gradients(
        lambda *arguments: of_rows(expected_alignment, *arguments),
        probabilities,
        previous,
        probe=probe,
    )
    for first_gradient, second_gradient in zip(received, expected, strict=True):
        np.testing.assert_allclose(first_gradient, second_gradient, atol=1e-5)


@pytest.mark.parametrize("alignment", SOFT)
@pytest.mark.parametrize("scores", [[-200.0] * 6, [200.0] * 6, [200, -200, 17, -100, 20, 0]])
def test_gradients_of_saturated_probabilities_are_finite(alignment, scores):
    def function(scores, previous):
        return alignment(keras.ops.sigmoid(scores), previous)

    scores = np.array([scores, scores])
    for previous in (first(2, 6), np.full((2, 6), 1 / 6)):
        for gradient in gradients(function, scores, previous, probe=RANDOM.normal(size=(2, 6))):
            assert np.isfinite(gradient).all()


def test_hard_alignment_passes_no_gradient():
    choices, previous = RANDOM.integers(2, size=(2, 6)).astype(float), first(2, 6)
    found = gradients(
        lambda *arguments: hard_alignment(*arguments) + 0.0 * sum(arguments),
        choices,
        previous,
        probe=np.ones((2, 6)),
    )
    assert not any(gradient.any() for gradient in found)


@pytest.mark.parametrize("alignment", ALIGNMENTS.values())
@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32"])
def test_half_precision_becomes_float32(alignment, dtype):
    arguments = [keras.ops.ones((2, 3), dtype=dtype), keras.ops.ones((2, 3), dtype=dtype)]
    assert keras.backend.standardize_dtype(alignment(*arguments).dtype) == "float32"


@pytest.mark.parametrize("alignment", ALIGNMENTS.values())
def test_the_length_may_be_unknown(alignment):
    class Aligned(keras.layers.Layer):
        def call(self, probabilities, previous):
            return alignment(probabilities, previous)

        def compute_output_shape(self, probabilities_shape, previous_shape):
            return probabilities_shape

    inputs = [keras.Input((None,)), keras.Input((None,))]
    model = keras.Model(inputs, Aligned()(*inputs))
    for length in (3, 8):
        probabilities, previous = random_arguments(2, length)
        if alignment is hard_alignment:
            probabilities, previous = np.round(probabilities), first(2, length)
        np.testing.assert_allclose(
            model.predict([probabilities, previous], verbose=0),
            aligned(alignment, probabilities, previous),
            atol=1e-6,
        )
