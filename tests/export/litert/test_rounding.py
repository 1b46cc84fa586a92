import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from small_translator import small_translator

from keras_bahdanau.export.litert.curvature import Curvature
from keras_bahdanau.export.litert.quantization import blocks_of, round_weights, rounded_rows

SHAPES = arrays.array_shapes(min_dims=2, max_dims=2, max_side=9)
MATRICES = arrays.arrays("float32", SHAPES, elements=st.floats(-9, 9, width=32))
BITS = st.sampled_from([4, 8])


def correlated(size, seed):
    """A curvature's factor in which every direction depends on the others."""
    random = np.random.default_rng(seed).normal(size=(size, 2 * size))
    return random @ random.T


@given(MATRICES, BITS, st.booleans())
def test_rows_become_whole_numbers_times_a_scale(matrix, bits, calibrated):
    curvature = None
    if calibrated:
        curvature = Curvature(correlated(matrix.shape[1], 1), correlated(matrix.shape[0], 2))
    top = 2 ** (bits - 1) - 1
    for row in rounded_rows(matrix, bits, curvature):
        # The greatest number of a row is its top: the converter finds the scale by it.
        step = np.abs(row).max() / top
        if step > 1e-30:
            np.testing.assert_allclose(row / step, np.rint(row / step), atol=1e-5)


@given(MATRICES, BITS)
def test_no_row_is_further_away_than_by_plain_rounding(matrix, bits):
    matrix = matrix.astype("float64")
    scale = np.abs(matrix).max(axis=1, keepdims=True) / (2 ** (bits - 1) - 1)
    scale[scale < 1e-30] = 1
    plain = np.rint(matrix / scale) * scale
    ours = np.square(rounded_rows(matrix, bits) - matrix).sum(axis=1)
    assert (ours <= np.square(plain - matrix).sum(axis=1) * (1 + 1e-9) + 1e-30).all()


@given(MATRICES, BITS)
def test_what_is_rounded_stays_as_it_is(matrix, bits):
    once = rounded_rows(matrix, bits)
    np.testing.assert_allclose(rounded_rows(once, bits), once, rtol=1e-12, atol=1e-30)


@pytest.mark.parametrize("bits", [4, 8])
def test_only_matrices_are_rounded_each_block_with_scales_of_its_own(bits):
    model = small_translator(
        embedding_dim=32, encoder_units=32, decoder_units=32, attention_units=32
    ).model
    before = {variable.path: np.array(variable) for variable in model.weights}
    round_weights(model, bits)
    after = {variable.path: np.array(variable) for variable in model.weights}
    changed = {path for path in before if not np.array_equal(before[path], after[path])}
    blocks = blocks_of(model)
    assert changed == {block.variable.path for block in blocks}
    assert {path.rsplit("/", 1)[-1] for path in changed} == {
        "embeddings",
        "kernel",
        "recurrent_kernel",
        "query_kernel",
        "key_kernel",
    }
    for block in blocks:
        expected = rounded_rows(block.of(before[block.variable.path]), bits)
        np.testing.assert_allclose(
            block.of(after[block.variable.path]), expected, rtol=1e-6, atol=1e-30
        )
    # Those of the state, of the context and of the embedding.
    readout = [block for block in blocks if block.variable is model.decoder.readout.kernel]
    assert [block.of(np.array(block.variable)).shape[1] for block in readout] == [32, 64, 32]
