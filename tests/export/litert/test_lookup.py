import keras
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from keras_bahdanau.export.litert.lookup import RowQuantizedLookup, quantize_rows
from keras_bahdanau.export.litert.quantization import round_rows


@given(
    st.lists(
        st.lists(st.floats(-1e3, 1e3, width=32), min_size=3, max_size=3), min_size=1, max_size=9
    )
)
@example([[0.0, 0.0, 2.802596928649634e-45]])
def test_rows_are_right_to_half_a_step(rows):
    table = np.array(rows, "float32")
    quantized, scales = quantize_rows(table)
    assert quantized.dtype == np.int8
    error = np.abs(quantized * scales[:, np.newaxis].astype("float64") - table)
    assert (error <= 0.5001 * scales[:, np.newaxis]).all()


def test_a_row_of_zeros_stays_zeros():
    quantized, scales = quantize_rows(np.zeros((2, 3)))
    assert not quantized.any()
    assert np.isfinite(scales).all()


def test_it_reads_what_the_embedding_reads():
    layer = keras.layers.Embedding(12, 8, mask_zero=True)
    token_ids = np.array([[3, 11, 0]])
    expected = layer(token_ids)
    lookup = RowQuantizedLookup(layer)
    np.testing.assert_allclose(lookup(token_ids), expected, atol=0.5 * 0.05 / 127 * 1.01)
    np.testing.assert_array_equal(lookup.compute_mask(token_ids), [[True, True, False]])


def test_the_output_matrix_stays_the_layers_own():
    layer = keras.layers.ReversibleEmbedding(12, 8)
    layer(np.array([[3]]))
    hidden = np.random.default_rng(0).normal(size=(2, 8)).astype("float32")
    lookup = RowQuantizedLookup(layer)
    np.testing.assert_array_equal(lookup(hidden, reverse=True), layer(hidden, reverse=True))


@pytest.mark.parametrize("width", [8, 7])
def test_an_int4_lookup_reads_rounded_rows_exactly(width):
    layer = keras.layers.Embedding(40, width)
    layer.build()
    table = np.random.default_rng(0).normal(size=(40, width)).astype("float32")
    layer.embeddings.assign(round_rows(table, 4))
    ids = np.array([[3, 39, 0]])
    lookup = RowQuantizedLookup(layer, bits=4)
    # Two weights per byte, where the width is even.
    assert np.array(lookup.rows).shape == (40, width if width % 2 else width // 2)
    tolerance = {"rtol": 1e-6} if width % 2 == 0 else {"atol": 0.05}
    np.testing.assert_allclose(lookup(ids), layer(ids), **tolerance)
