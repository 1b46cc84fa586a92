import numpy as np
import pytest
import tensorflow as tf
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter
from small_translator import small_translator

from keras_bahdanau.export.litert import export_litert
from keras_bahdanau.export.litert.conversion import compact
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


def test_a_file_says_of_itself_what_it_is_told_to():
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
    # Wide enough that the converter thinks the matrix worth quantizing.
    translator = small_translator(tie_embeddings="all", embedding_dim=32)
    export_litert(translator, tmp_path / "litert", quantization=quantization, beam_width=2)
    content = (tmp_path / "litert" / "translator.tflite").read_bytes()
    (table,) = (weight.numpy() for weight in translator.model.weights if "embedding" in weight.path)
    stored = {"float32": table, "int8": quantize_rows(table)[0]}
    for name, array in stored.items():
        assert content.count(array.tobytes()) == (name == quantization)
