import subprocess
import sys

import keras
import numpy as np
import pytest
from attention_oracle import arrays_of

from keras_bahdanau import AttentionRNN, BahdanauAttention
from keras_bahdanau.models import Decoder, Encoder, TranslationModel

RANDOM = np.random.default_rng(6)
# Another process loads every model of a folder and answers from inputs saved beside it.
ANSWER = """
import pathlib
import numpy as np
for path in pathlib.Path(".").glob("*.keras"):
    model = keras.saving.load_model(path)
    saved = np.load(path.with_suffix(".npz"))
    inputs = [saved[f"input_{i}"] for i in range(len(keras.tree.flatten(model.input)))]
    inputs = keras.tree.map_structure(keras.ops.convert_to_tensor, inputs)
    outputs = keras.tree.flatten(model(keras.tree.pack_sequence_as(model.input, inputs)))
    for i, output in enumerate(outputs):
        np.testing.assert_array_equal(keras.ops.convert_to_numpy(output), saved[f"output_{i}"])
    print(path.stem, type(model).__module__)
"""
MODELS = {
    "layer": "keras.src.models.functional",
    "recurrent": "keras.src.models.functional",
    "encoder": "keras_bahdanau.models.encoder",
    "decoder": "keras_bahdanau.models.decoder",
    "translation_model": "keras_bahdanau.models.translation_model",
}


def models():
    query, value = keras.Input((3, 4)), keras.Input((None, 5))
    attention = BahdanauAttention(6, use_bias=True, bias_initializer="ones", dropout=0.1)
    yield (
        "layer",
        keras.Model([query, value], attention(query, value, return_attention_scores=True)),
    )
    cell = keras.layers.StackedRNNCells([keras.layers.LSTMCell(3), keras.layers.LSTMCell(3)])
    rnn = AttentionRNN(cell, BahdanauAttention(6), order="after")
    yield "recurrent", keras.Model([query, value], rnn(query, value))
    yield "encoder", Encoder(9, embedding_dim=4, units=3)
    yield "decoder", Decoder(9, 6, embedding_dim=4, units=5, attention_units=3, num_layers=2)
    yield (
        "translation_model",
        TranslationModel(9, embedding_dim=4, encoder_units=3, decoder_units=5, attention_units=3),
    )


def example_of(symbol):
    shape = [size or 3 for size in symbol.shape]
    if symbol.dtype == "bool":
        return np.ones(shape, dtype=bool)
    if symbol.dtype == "int32":
        return RANDOM.integers(0, 9, size=shape, dtype="int32")
    return RANDOM.normal(size=shape).astype("float32")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    for name, model in models():
        model.save(folder / f"{name}.keras")
        inputs = keras.tree.map_structure(example_of, model.input)
        outputs = model(keras.tree.map_structure(keras.ops.convert_to_tensor, inputs))
        arrays = {f"input_{i}": array for i, array in enumerate(keras.tree.flatten(inputs))}
        for i, output in enumerate(keras.tree.flatten(outputs)):
            arrays[f"output_{i}"] = arrays_of(output)
        np.savez(folder / f"{name}.npz", **arrays)
    return folder


@pytest.mark.parametrize(
    "imports", ["import keras, keras_bahdanau", "import keras_bahdanau, keras"]
)
def test_files_load_in_a_new_process_after_importing_the_package(imports, folder):
    completed = subprocess.run(
        [sys.executable, "-c", imports + ANSWER], cwd=folder, capture_output=True, text=True
    )
    assert completed.returncode == 0, completed.stderr
    received = dict(line.split() for line in completed.stdout.splitlines())
    assert received == MODELS


def test_classes_have_names_of_their_own():
    for name in ("BahdanauAttention", "AttentionCell", "AttentionRNN", "Encoder", "Decoder"):
        registered = keras.saving.get_registered_object(f"keras_bahdanau>{name}")
        assert registered.__name__ == name
