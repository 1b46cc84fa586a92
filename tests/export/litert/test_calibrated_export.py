"""The file holds the matrices that calibrated rounding computed."""

import json

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from small_translator import small_translator

from keras_bahdanau.export.litert import export_litert, exporter
from keras_bahdanau.export.litert.quantization import round_weights, weight_matrices
from keras_bahdanau.export.runtime import LiteTranslator

TEXTS = ["the red house", "a dog sleeps", "the cat runs", "el perro corre"]
BITS = {"int8": 8, "int4": 4}
TYPES = {"int8": schema.TensorType.INT8, "int4": schema.TensorType.INT4}


@pytest.mark.slow
@pytest.mark.parametrize("quantization", BITS)
@pytest.mark.parametrize("tie_embeddings", ["all", "none"])
def test_matrices_of_a_file_are_those_that_were_rounded(
    quantization, tie_embeddings, tmp_path, monkeypatch
):
    rounded = []

    def spy(model, bits, curvatures):
        round_weights(model, bits, curvatures)
        rounded.extend(matrix.of(np.array(matrix.variable)) for matrix in weight_matrices(model))

    monkeypatch.setattr(exporter, "round_weights", spy)
    translator = small_translator(
        order="between",
        tie_embeddings=tie_embeddings,
        embedding_dim=32,
        encoder_units=32,
        decoder_units=32,
        attention_units=32,
    )
    exported = export_litert(
        translator, tmp_path / "litert", quantization=quantization, calibration=TEXTS, beam_width=2
    )
    held = list(matrices(exported / "translator.tflite", TYPES[quantization]))
    # All but the tables of the lookups.
    assert len(held) >= len(rounded) - 2
    for matrix in held:
        assert any(
            matrix.shape == each.shape and np.allclose(matrix, each, rtol=1e-5, atol=1e-30)
            for each in rounded
        )
    manifest = json.loads((exported / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["calibrated"]
    assert any(LiteTranslator(exported).translate(TEXTS))


def matrices(path, of_type):
    """Constant matrices of products, each once, as float arrays `(outputs, inputs)`."""
    model, seen = schema.ModelT.InitFromPackedBuf(bytearray(path.read_bytes()), 0), set()
    for graph in model.subgraphs:
        for operator in graph.operators:
            code = model.operatorCodes[operator.opcodeIndex]
            if code.builtinCode != schema.BuiltinOperator.FULLY_CONNECTED:
                continue
            tensor = graph.tensors[operator.inputs[1]]
            data = model.buffers[tensor.buffer].data
            # Computed and small matrices stay float32.
            if data is None or np.prod(tensor.shape) < 1024 or tensor.buffer in seen:
                continue
            assert tensor.type == of_type
            seen.add(tensor.buffer)
            content = np.frombuffer(bytes(data), "int8")
            if of_type == schema.TensorType.INT4:
                content = np.stack([(content << 4).astype("int8") >> 4, content >> 4], axis=-1)
            scales = np.array(tensor.quantization.scale)[:, np.newaxis]
            yield content.reshape(tensor.shape) * scales
