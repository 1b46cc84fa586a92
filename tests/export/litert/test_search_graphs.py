import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from keras_bahdanau.export.litert.search_graphs import top_candidates


@given(st.integers(0, 2**32 - 1), st.sampled_from([3, 64, 200, 641, 1000]), st.integers(1, 3))
def test_it_finds_what_sorting_finds(seed, width, count):
    logits = np.random.default_rng(seed).permutation(4 * width).reshape(4, width).astype("float32")
    values, ids = top_candidates(tf.constant(logits), count)
    np.testing.assert_array_equal(ids, np.argsort(-logits, axis=-1)[:, :count])
    np.testing.assert_array_equal(values, np.take_along_axis(logits, np.array(ids), axis=-1))


@pytest.mark.parametrize("width", [500, 512])
def test_equal_numbers_are_found_at_places_of_their_own(width):
    values, ids = top_candidates(tf.zeros((2, width)), 7)
    assert not np.array(values).any()
    for row in np.array(ids):
        assert len(set(row)) == 7 and 0 <= row.min() and row.max() < width
