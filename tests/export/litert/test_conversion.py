import numpy as np
import pytest
import tensorflow as tf
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter
from small_translator import small_translator

from keras_bahdanau.export.litert import export_litert
from keras_bahdanau.export.litert.conversion import (
    UnsupportedOperatorError,
    check_operators,
    compact,
    operator_names,
)
from keras_bahdanau.export.litert.lookup import quantize_rows

TABLE = np.random.default_rng(0).normal(size=(64, 33)).astype("float32")


def file_with_a_table_twice():
    """Reads rows of a table, and multiplies with it as a matrix that the converter transposes."""

    def function(ids, vector):
        return tf.gather(TABLE, ids), tf.matmul(vector, TABLE, transpose_b=True)

    specifications = [tf.TensorSpec((2,), tf.int32), tf.TensorSpec((1, 33))]
    graph = tf.function(function, input_signature=specifications).get_concrete_function()
    return tf.lite.TFLiteConverter.from_concrete_functions([graph], tf.Module()).convert()


def with_own_copies(content):
    """The same file, in which every constant tensor has a buffer of its own."""
    import flatbuffers

    model = schema.ModelT.InitFromPackedBuf(bytearray(content), 0)
    for tensor in model.subgraphs[0].tensors:
        data = model.buffers[tensor.buffer].data
        if data is not None and len(data):
            copy = schema.BufferT()
            copy.data = data
            model.buffers.append(copy)
            tensor.buffer = len(model.buffers) - 1
    model.buffers.append(copy)
    builder = flatbuffers.Builder(len(content))
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def outputs(content):
    interpreter = Interpreter(model_content=content)
    interpreter.allocate_tensors()
    ids, vector = sorted(interpreter.get_input_details(), key=lambda each: len(each["shape"]))
    interpreter.set_tensor(ids["index"], np.array([3, 60], "int32"))
    interpreter.set_tensor(vector["index"], np.ones((1, 33), "float32"))
    interpreter.invoke()
    return [interpreter.get_tensor(each["index"]) for each in interpreter.get_output_details()]


def test_equal_bytes_are_stored_once_and_the_answers_stay():
    content = with_own_copies(file_with_a_table_twice())
    merged = compact(content)
    assert len(merged) < len(content) - TABLE.nbytes // 2
    assert merged.count(TABLE.tobytes()) == 1
    for ours, theirs in zip(outputs(merged), outputs(content), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_the_description_is_kept_or_replaced():
    content = file_with_a_table_twice()
    own, given = (
        schema.Model.GetRootAsModel(each, 0).Description()
        for each in (compact(content), compact(content, "two tables"))
    )
    assert own == schema.Model.GetRootAsModel(content, 0).Description()
    assert given == b"two tables"


def test_tensors_stay_aligned():
    merged = compact(file_with_a_table_twice())
    assert merged.find(TABLE.tobytes()) % 16 == 0


@pytest.mark.slow
@pytest.mark.parametrize("quantization", ["float32", "int8"])
def test_an_embedding_of_source_target_and_output_is_stored_once(quantization, tmp_path):
    # Wide enough that the converter quantizes the matrix.
    translator = small_translator(tie_embeddings="all", embedding_dim=32)
    export_litert(translator, tmp_path / "litert", quantization=quantization, beam_width=2)
    content = (tmp_path / "litert" / "translator.tflite").read_bytes()
    (table,) = (weight.numpy() for weight in translator.model.weights if "embedding" in weight.path)
    stored = {"float32": table, "int8": quantize_rows(table)[0]}
    for name, array in stored.items():
        assert content.count(array.tobytes()) == (name == quantization)


def converter_of(function, *specifications, **options):
    graph = tf.function(function, input_signature=specifications).get_concrete_function()
    converter = tf.lite.TFLiteConverter.from_concrete_functions([graph], tf.Module())
    for name, value in options.items():
        setattr(converter, name, value)
    return converter


VECTOR = tf.TensorSpec((4,), tf.float32)


def test_builtin_operators_pass_and_are_named():
    content = converter_of(lambda x: tf.tanh(x) + 1.0, VECTOR).convert()
    assert check_operators(content) == operator_names(content) == ["ADD", "TANH"]


def test_operators_inside_loops_are_seen():
    def loop(x):
        return tf.while_loop(lambda x: x[0] < 9.0, lambda x: [tf.tanh(x) + 1.0], [x])

    names = operator_names(converter_of(loop, VECTOR).convert())
    assert {"WHILE", "LESS", "TANH"} <= set(names)


def test_a_flex_operator_is_refused():
    converter = converter_of(tf.linalg.det, tf.TensorSpec((3, 3), tf.float32))
    converter.target_spec.supported_ops = [tf.lite.OpsSet.SELECT_TF_OPS]
    with pytest.raises(UnsupportedOperatorError, match="custom:FlexMatrixDeterminant"):
        check_operators(converter.convert())


def test_a_custom_operator_is_refused():
    converter = converter_of(tf.math.bessel_i0, VECTOR, allow_custom_ops=True)
    with pytest.raises(UnsupportedOperatorError, match="custom:BesselI0"):
        check_operators(converter.convert())


def test_a_custom_operator_that_is_named_passes():
    content = converter_of(
        lambda x: tf.math.bessel_i0(tf.math.bessel_i1(x)), VECTOR, allow_custom_ops=True
    ).convert()
    names = ["BesselI0", "BesselI1"]
    assert check_operators(content, names) == [f"custom:{name}" for name in names]
    with pytest.raises(UnsupportedOperatorError, match="needs: custom:BesselI0$"):
        check_operators(content, names[1:])


def test_a_variable_is_refused():
    module = tf.Module()
    module.total = tf.Variable(tf.zeros((4,)))
    graph = tf.function(module.total.assign_add, input_signature=[VECTOR]).get_concrete_function()
    converter = tf.lite.TFLiteConverter.from_concrete_functions([graph], module)
    converter.experimental_enable_resource_variables = True
    with pytest.raises(UnsupportedOperatorError, match="READ_VARIABLE"):
        check_operators(converter.convert())
