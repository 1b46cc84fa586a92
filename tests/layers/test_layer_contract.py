"""What Keras asks of every layer, asked of the whole family on the backend that Keras runs on."""

import inspect

import keras
import numpy as np
import pytest
from attention_oracle import arrays_of
from family import ATTENTIONS, CLASSES, RECURRENT, new_attention, new_recurrent, options_of

# Private, but these are the checks of Keras's own layers, and Keras is pinned below its next
# minor version.
from keras.src.testing import TestCase

from keras_bahdanau.recurrent.attention_rnn import AttentionRNN

RANDOM = np.random.default_rng(1)
QUERY = RANDOM.normal(size=(3, 4, 3)).astype("float32")
VALUE = RANDOM.normal(size=(3, 6, 7)).astype("float32")
SOURCE_IDS = np.array([[4, 2, 3, 0, 0], [1, 3, 2, 5, 2], [5, 5, 0, 0, 0]])
TARGET_IDS = np.array([[3, 1, 4], [2, 0, 0], [1, 1, 0]])
# Keras trains a layer on one argument, a dict where there are several inputs, which only a layer
# of one argument can take; for its own attention layers it leaves that check out as well.
# Training is tested below.
KERAS_CHECKS = {"supports_masking": True, "run_training_check": False}


def embedded_ids():
    """Symbolic ids of target and source, and their embeddings, which have masks."""
    target = keras.Input((None,), dtype="int32")
    source = keras.Input((None,), dtype="int32")
    normal = keras.initializers.RandomNormal(stddev=1.0)
    queries = keras.layers.Embedding(6, 3, normal, mask_zero=True)(target)
    memory = keras.layers.Embedding(6, 7, normal, mask_zero=True)(source)
    return [target, source], queries, memory


def attention_model(name):
    inputs, queries, memory = embedded_ids()
    layer = new_attention(name)
    context, weights = layer(queries, memory, return_attention_scores=True)
    return keras.Model(inputs, {"context": context, "weights": weights})


def recurrent_model(name):
    inputs, queries, memory = embedded_ids()
    layer = new_recurrent(name)
    several = isinstance(layer.attention, (list, tuple))
    outputs, contexts, weights, _ = layer(queries, [memory] * 2 if several else memory)
    results = {"outputs": outputs, "context": contexts}
    return keras.Model(inputs, {**results, "weights": weights[0] if several else weights})


MODELS = [(attention_model, name) for name in CLASSES] + [
    (recurrent_model, name) for name in ("after", "between", "coverage", "chunkwise")
]


@pytest.mark.parametrize("name", ATTENTIONS)
def test_keras_checks_of_attention_layers(name):
    attention_class, options = options_of(name)
    TestCase().run_layer_test(
        attention_class,
        options,
        input_shape={"query_shape": (2, 4, 3), "value_shape": (2, 6, 7)},
        expected_output_shape=(2, 4, 7),
        expected_output_dtype="float32",
        **KERAS_CHECKS,
    )


@pytest.mark.parametrize("name", RECURRENT)
def test_keras_checks_of_recurrent_layers(name):
    TestCase().run_layer_test(
        AttentionRNN,
        RECURRENT[name](),
        input_shape={"inputs_shape": (2, 4, 3), "memory_shape": (2, 6, 7)},
        **KERAS_CHECKS,
    )


@pytest.mark.parametrize("name", CLASSES)
def test_a_signature_names_every_argument(name):
    attention_class, options = options_of(name)
    config, base = attention_class(**options).get_config(), keras.layers.Layer().get_config()
    parameters = inspect.signature(attention_class).parameters
    assert {*parameters} - {"kwargs"} == config.keys() - base.keys()
    # Keras's own arguments, and nothing else, come as keyword arguments.
    attention_class(**options, name="attention", dtype="float32", trainable=False)
    with pytest.raises(ValueError, match="Unrecognized keyword arguments.*rate"):
        attention_class(**options, rate=0.5)


@pytest.mark.parametrize("name", CLASSES)
def test_configs_without_position_dropout_load(name):
    attention_class, options = options_of(name)
    config = attention_class(**options, dropout=0.3).get_config()
    del config["position_dropout"]
    assert attention_class.from_config(config).position_dropout == 0


@pytest.mark.parametrize("name", ATTENTIONS)
def test_shapes_by_name_build_all_weights(name):
    called, built, keyed = (new_attention(name) for _ in range(3))
    called(QUERY[:, 0], VALUE)
    built.build(query_shape=QUERY.shape, value_shape=VALUE.shape)
    keyed.build(query_shape=(None, 3), value_shape=(None, None, 7), key_shape=(None, None, 2))
    shapes = {weight.path.split("/", 1)[1]: weight.shape for weight in called.weights}
    assert {weight.path.split("/", 1)[1]: weight.shape for weight in built.weights} == shapes
    assert keyed.key_kernel.shape == (2, called.units)


def check_symbols(tensors, symbols):
    for tensor, symbol in zip(tensors, symbols, strict=True):
        assert tuple(tensor.shape) == symbol.shape
        assert keras.backend.standardize_dtype(tensor.dtype) == symbol.dtype


@pytest.mark.parametrize("query", [QUERY, QUERY[:, 0]])
@pytest.mark.parametrize("name", ATTENTIONS)
def test_symbols_are_what_comes_out(name, query):
    layer = new_attention(name, dtype="mixed_bfloat16")
    asked = {"return_attention_scores": True, "return_attention_state": True}
    context, weights, state = layer(query, VALUE, **asked)
    symbols = layer(keras.KerasTensor(query.shape), keras.KerasTensor(VALUE.shape), **asked)
    assert tuple(state) == tuple(symbols[2]) == layer.state_names
    check_symbols([context, weights, *state.values()], keras.tree.flatten(symbols))
    assert {symbol.dtype for symbol in symbols[:2]} == {"bfloat16"}


@pytest.mark.parametrize("inputs", [QUERY, QUERY[:, 0]])
@pytest.mark.parametrize("name", RECURRENT)
def test_symbols_are_what_comes_out_of_steps(name, inputs):
    # Cell and attention are of float32: as in Keras, the outer layer has the say.
    layer = new_recurrent(name, dtype="mixed_bfloat16")
    memory = [VALUE, VALUE] if name == "several" else VALUE
    as_symbols = keras.tree.map_structure(lambda x: keras.KerasTensor(x.shape), [inputs, memory])
    symbols = layer(*as_symbols)
    check_symbols(keras.tree.flatten(layer(inputs, memory)), keras.tree.flatten(symbols))
    assert {symbol.dtype for symbol in symbols[:2]} == {"bfloat16"}


@pytest.mark.parametrize("build_model, name", MODELS)
def test_masks_arrive_by_name(build_model, name):
    results = arrays_of(build_model(name)([TARGET_IDS, SOURCE_IDS]))
    padding = np.broadcast_to((SOURCE_IDS == 0)[:, None], results["weights"].shape)
    assert not results["weights"][padding].any()
    assert results["weights"].any()
    if build_model is attention_model:
        assert not results["context"][TARGET_IDS == 0].any()


@pytest.mark.parametrize("build_model, name", MODELS)
def test_files_give_the_same_model_back(build_model, name, tmp_path):
    model = build_model(name)
    expected = arrays_of(model([TARGET_IDS, SOURCE_IDS]))
    model.save(tmp_path / "model.keras")
    model.save_weights(tmp_path / "model.weights.h5")
    loaded, weighted = keras.saving.load_model(tmp_path / "model.keras"), build_model(name)
    weighted.load_weights(tmp_path / "model.weights.h5")
    for other in (loaded, weighted):
        received = arrays_of(other([TARGET_IDS, SOURCE_IDS]))
        for output in expected:
            np.testing.assert_array_equal(received[output], expected[output])


@pytest.mark.parametrize("build_model, name", MODELS)
def test_one_step_of_training(build_model, name):
    model = build_model(name)
    targets = {"context": np.ones((3, 3, model.output["context"].shape[-1]), "float32")}
    model = keras.Model(model.input, {"context": model.output["context"]})
    model.compile(keras.optimizers.SGD(0.5), loss="mse")
    before = arrays_of(model.trainable_weights)
    history = model.fit([TARGET_IDS, SOURCE_IDS], targets, batch_size=3, verbose=0)
    assert np.isfinite(history.history["loss"]).all()
    pairs = zip(model.trainable_weights, before, strict=True)
    changed = {weight.name for weight, old in pairs if (arrays_of(weight) != old).any()}
    assert all(np.isfinite(arrays_of(weight)).all() for weight in model.trainable_weights)
    assert {"embeddings", "query_kernel", "key_kernel", "scale"} <= changed
