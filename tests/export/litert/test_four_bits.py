import keras
import numpy as np
import pytest
import tensorflow as tf
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from keras_bahdanau.export.litert.conversion import compact
from keras_bahdanau.export.litert.lookup import RowQuantizedLookup
from keras_bahdanau.export.litert.quantization import packed, rounded_rows


def random_matrix(rows=64, width=48, seed=0):
    return np.random.default_rng(seed).normal(size=(rows, width)).astype("float32")


@given(arrays.arrays("int8", (3, 8), elements=st.integers(-8, 7)))
def test_each_byte_holds_two_numbers(numbers):
    content = packed(numbers)
    assert content.shape == (3, 4)
    # Shifts of signed numbers keep the sign.
    np.testing.assert_array_equal(content >> 4, numbers[:, 1::2])
    np.testing.assert_array_equal((content << 4).astype("int8") >> 4, numbers[:, ::2])


def product_file(matrix):
    """A file of int8 that multiplies a row with a matrix."""

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


def test_a_file_of_four_bits_is_half_as_large_and_multiplies_exactly():
    matrix = rounded_rows(random_matrix(96, 48).T, 4).T.astype("float32")
    content = product_file(matrix)
    narrowed = compact(content, four_bits=True)
    assert schema.TensorType.INT4 in types(narrowed)
    assert schema.TensorType.INT8 not in types(narrowed)
    assert len(content) - len(narrowed) > 0.45 * 96 * 48
    # A row that is not changed by the rounding to int8 that such a product begins with.
    row = np.random.default_rng(2).integers(-128, 128, size=(1, 96)).astype("float32")
    row[0, :2] = -128, 127
    np.testing.assert_allclose(output(narrowed, row), row @ matrix, rtol=1e-5, atol=1e-3)


@pytest.mark.parametrize("width", [48, 47])
def test_what_four_bits_cannot_say_stays_int8(width):
    # Random weights are none of four bits; and rows of an odd length do not fill their bytes.
    matrix = random_matrix(width, 48)
    if width % 2:
        matrix = rounded_rows(matrix.T, 4).T.astype("float32")
    narrowed = compact(product_file(matrix), four_bits=True)
    assert schema.TensorType.INT8 in types(narrowed)
    assert schema.TensorType.INT4 not in types(narrowed)


@pytest.mark.parametrize("width", [8, 7])
def test_a_lookup_of_four_bits_reads_rounded_rows_as_they_are(width):
    layer = keras.layers.Embedding(40, width)
    layer.build()
    layer.embeddings.assign(rounded_rows(random_matrix(40, width), 4))
    ids = np.array([[3, 39, 0]])
    lookup = RowQuantizedLookup(layer, bits=4)
    # Two numbers a byte, where they fit.
    assert np.array(lookup.rows).shape == (40, width if width % 2 else width // 2)
    tolerance = {"rtol": 1e-6} if width % 2 == 0 else {"atol": 0.05}
    np.testing.assert_allclose(lookup(ids), layer(ids), **tolerance)
