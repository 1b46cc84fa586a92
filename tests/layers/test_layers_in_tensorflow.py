"""Layers in TensorFlow graphs: unknown sizes, XLA, SavedModel and LiteRT files."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter
from attention_oracle import arrays_of
from family import CLASSES, new_attention, new_recurrent
from on_backend import value_and_gradients, weighted_loss

from keras_bahdanau.layers.additive_scores import additive_scores

RANDOM = np.random.default_rng(11)
QUERY = RANDOM.normal(size=(3, 4, 3)).astype("float32")
VALUE = RANDOM.normal(size=(3, 6, 7)).astype("float32")
MASK = np.array([[1] * 6, [1, 0, 1, 1, 0, 0], [0] * 6], dtype=bool)
DECODERS = ("before", "between", "coverage", "chunkwise")


def of_unknown_sizes(dim, dtype="float32"):
    return tf.TensorSpec([None, None, *dim], dtype)


def inputs_of(query, value_length):
    """Symbols of a model's inputs, of unknown sizes unless they are given."""
    query = keras.Input((None, 3)) if query is None else query
    value = keras.Input((value_length, 7), query.shape[0], name="value")
    return query, value, keras.Input((value_length,), query.shape[0], dtype="bool", name="mask")


def attention_model(name, query=None, value_length=None):
    query, value, mask = inputs_of(query, value_length)
    results = new_attention(name)(query, value, value_mask=mask, return_attention_scores=True)
    return keras.Model([query, value, mask], list(results))


def decoder_model(name, query=None, value_length=None):
    inputs, memory, mask = inputs_of(query, value_length)
    outputs, contexts, weights, _ = new_recurrent(name)(inputs, memory, memory_mask=mask)
    return keras.Model([inputs, memory, mask], [outputs, contexts, weights])


MODELS = [(attention_model, name) for name in CLASSES] + [
    (decoder_model, name) for name in DECODERS
]


@pytest.mark.parametrize("xla", [False, True])
@pytest.mark.parametrize("elements", [2**20, 200, 40])
def test_scores_of_unknown_sizes(elements, xla, monkeypatch):
    query, keys, scale = (
        RANDOM.normal(size=shape).astype("float32") for shape in ((5, 7, 4), (5, 3, 4), (4,))
    )

    def loss(query, keys, scale):
        return tf.reduce_sum(additive_scores(query, keys, scale) ** 2)

    def signature(function):
        return tf.function(
            function,
            input_signature=[of_unknown_sizes([4]), of_unknown_sizes([4]), tf.TensorSpec([4])],
            jit_compile=xla,
        )

    expected = value_and_gradients(loss, [query, keys, scale])
    monkeypatch.setattr("keras_bahdanau.layers.additive_scores.CHUNK_ELEMENTS", elements)
    received = value_and_gradients(loss, [query, keys, scale], compile=signature)
    for first, second in zip(
        keras.tree.flatten(received), keras.tree.flatten(expected), strict=True
    ):
        np.testing.assert_allclose(first, second, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("build_model, name", MODELS)
def test_one_graph_for_all_sizes(build_model, name):
    model = build_model(name)
    graph = tf.function(
        lambda query, value, mask: model([query, value, mask]),
        input_signature=[
            of_unknown_sizes([3]),
            of_unknown_sizes([7]),
            of_unknown_sizes([], "bool"),
        ],
    )
    for rows, steps, positions in ((3, 4, 6), (1, 1, 6), (2, 3, 1)):
        inputs = [QUERY[:rows, :steps], VALUE[:rows, :positions], MASK[:rows, :positions]]
        received = graph(*map(tf.constant, inputs))
        for first, second in zip(arrays_of(received), arrays_of(model(inputs)), strict=True):
            np.testing.assert_allclose(first, second, atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("build_model, name", MODELS)
def test_xla_computes_the_same_gradients(build_model, name):
    layer = next(layer for layer in build_model(name).layers if layer.weights)
    mask = {"value_mask" if build_model is attention_model else "memory_mask": tf.constant(MASK)}
    loss = weighted_loss(
        layer, lambda shape: np.cos(np.arange(np.prod(shape))).reshape(shape), **mask
    )
    arrays = [QUERY, VALUE, *arrays_of(layer.trainable_variables)]
    _, expected = value_and_gradients(loss, arrays)
    _, received = value_and_gradients(
        loss, arrays, compile=lambda function: tf.function(function, jit_compile=True)
    )
    for gradient, expected_gradient in zip(received, expected, strict=True):
        assert np.isfinite(gradient).all()
        np.testing.assert_allclose(gradient, expected_gradient, atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("build_model, name", MODELS)
def test_saved_model_computes_the_same(build_model, name, tmp_path):
    model = build_model(name)
    model.export(tmp_path / "exported", format="tf_saved_model", verbose=False)
    loaded = tf.saved_model.load(tmp_path / "exported")
    inputs = [QUERY, VALUE, MASK]
    received = loaded.serve([tf.constant(array) for array in inputs])
    for first, second in zip(arrays_of(received), arrays_of(model(inputs)), strict=True):
        np.testing.assert_allclose(first, second, atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("build_model, name", MODELS)
def test_one_step_on_the_device(build_model, name, tmp_path):
    # One step, as a phone generates. For a loop over steps Keras exports TensorFlow's own lists,
    # which the interpreter of LiteRT alone does not have.
    model = build_model(name, query=keras.Input((3,), 3, name="query"), value_length=6)
    model.export(tmp_path / "model.tflite", format="litert", verbose=False)
    interpreter = Interpreter(str(tmp_path / "model.tflite"))
    runner = interpreter.get_signature_runner()
    inputs = [QUERY[:, 0], VALUE, MASK]
    received = runner(query=inputs[0], value=inputs[1], mask=inputs[2])
    expected = arrays_of(model(inputs))
    for first, second in zip((received[key] for key in sorted(received)), expected, strict=True):
        np.testing.assert_allclose(first, second, atol=1e-5)
