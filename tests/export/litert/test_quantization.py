import numpy as np
import pytest
import tensorflow as tf
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from small_translator import small_translator

from keras_bahdanau.export.litert.calibration import Curvature
from keras_bahdanau.export.litert.conversion import compact
from keras_bahdanau.export.litert.quantization import (
    pack_int4,
    round_rows,
    round_weights,
    weight_matrices,
)

SHAPES = arrays.array_shapes(min_dims=2, max_dims=2, max_side=9)
MATRICES = arrays.arrays("float32", SHAPES, elements=st.floats(-9, 9, width=32))
BITS = st.sampled_from([4, 8])


def correlated(size, seed):
    """A curvature factor without zeros off its diagonal."""
    random = np.random.default_rng(seed).normal(size=(size, 2 * size))
    return random @ random.T


@given(MATRICES, BITS, st.booleans())
def test_rows_become_integers_times_a_scale(matrix, bits, calibrated):
    curvature = None
    if calibrated:
        curvature = Curvature(correlated(matrix.shape[1], 1), correlated(matrix.shape[0], 2))
    top = 2 ** (bits - 1) - 1
    for row in round_rows(matrix, bits, curvature):
        # The largest value of a row is -top or top: the converter derives the scale from it.
        step = np.abs(row).max() / top
        if step > 1e-30:
            np.testing.assert_allclose(row / step, np.rint(row / step), atol=1e-5)


@given(MATRICES, BITS)
def test_no_row_has_a_larger_error_than_without_clipping(matrix, bits):
    matrix = matrix.astype("float64")
    scale = np.abs(matrix).max(axis=1, keepdims=True) / (2 ** (bits - 1) - 1)
    scale[scale < 1e-30] = 1
    plain = np.rint(matrix / scale) * scale
    ours = np.square(round_rows(matrix, bits) - matrix).sum(axis=1)
    assert (ours <= np.square(plain - matrix).sum(axis=1) * (1 + 1e-9) + 1e-30).all()


@given(MATRICES, BITS)
def test_rounding_is_idempotent(matrix, bits):
    once = round_rows(matrix, bits)
    np.testing.assert_allclose(round_rows(once, bits), once, rtol=1e-12, atol=1e-30)


@pytest.mark.parametrize("bits", [4, 8])
def test_only_matrices_are_rounded_and_parts_of_the_readout_separately(bits):
    model = small_translator(
        embedding_dim=32, encoder_units=32, decoder_units=32, attention_units=32
    ).model
    before = {variable.path: np.array(variable) for variable in model.weights}
    round_weights(model, bits)
    after = {variable.path: np.array(variable) for variable in model.weights}
    changed = {path for path in before if not np.array_equal(before[path], after[path])}
    matrices = weight_matrices(model)
    assert changed == {matrix.variable.path for matrix in matrices}
    assert {path.rsplit("/", 1)[-1] for path in changed} == {
        "embeddings",
        "kernel",
        "recurrent_kernel",
        "query_kernel",
        "key_kernel",
    }
    for matrix in matrices:
        expected = round_rows(matrix.of(before[matrix.variable.path]), bits)
        np.testing.assert_allclose(
            matrix.of(after[matrix.variable.path]), expected, rtol=1e-6, atol=1e-30
        )
    # State, context and embedding.
    readout = [matrix for matrix in matrices if matrix.variable is model.decoder.readout.kernel]
    assert [matrix.of(np.array(matrix.variable)).shape[1] for matrix in readout] == [32, 64, 32]


def random_matrix(rows=64, width=48, seed=0):
    return np.random.default_rng(seed).normal(size=(rows, width)).astype("float32")


@given(arrays.arrays("int8", (3, 8), elements=st.integers(-8, 7)))
def test_each_byte_holds_two_integers(numbers):
    content = pack_int4(numbers)
    assert content.shape == (3, 4)
    # Shifts of signed numbers keep the sign.
    np.testing.assert_array_equal(content >> 4, numbers[:, 1::2])
    np.testing.assert_array_equal((content << 4).astype("int8") >> 4, numbers[:, ::2])


def product_file(matrix):
    """An int8 file that multiplies a row by a matrix."""

    def function(row):
        return tf.matmul(row, tf.constant(matrix))

    specification = [tf.TensorSpec((1, len(matrix)))]
    graph = tf.function(function, input_signature=specification).get_concrete_function()
    converter = tf.lite.TFLiteConverter.from_concrete_functions([graph], tf.Module())
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    return converter.convert()


def output(content, row):
    interpreter = Interpreter(model_content=content)
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], row)
    interpreter.invoke()
    return interpreter.get_tensor(interpreter.get_output_details()[0]["index"])


def types(content):
    model = schema.ModelT.InitFromPackedBuf(bytearray(content), 0)
    return {tensor.type for graph in model.subgraphs for tensor in graph.tensors}


def test_an_int4_file_is_half_as_large_and_multiplies_exactly():
    matrix = round_rows(random_matrix(96, 48).T, 4).T.astype("float32")
    content = product_file(matrix)
    narrowed = compact(content, use_int4=True)
    assert schema.TensorType.INT4 in types(narrowed)
    assert schema.TensorType.INT8 not in types(narrowed)
    assert len(content) - len(narrowed) > 0.45 * 96 * 48
    # A row that is not changed by the rounding to int8 that such a product begins with.
    row = np.random.default_rng(2).integers(-128, 128, size=(1, 96)).astype("float32")
    row[0, :2] = -128, 127
    np.testing.assert_allclose(output(narrowed, row), row @ matrix, rtol=1e-5, atol=1e-3)


@pytest.mark.parametrize("width", [48, 47])
def test_what_int4_cannot_represent_stays_int8(width):
    # Random weights were not rounded to 4 bits; rows of an odd width do not fill whole bytes.
    matrix = random_matrix(width, 48)
    if width % 2:
        matrix = round_rows(matrix.T, 4).T.astype("float32")
    narrowed = compact(product_file(matrix), use_int4=True)
    assert schema.TensorType.INT8 in types(narrowed)
    assert schema.TensorType.INT4 not in types(narrowed)
