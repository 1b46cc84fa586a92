import keras
import numpy as np
import pytest
from attention_oracle import arrays_of

from keras_bahdanau import BahdanauAttention
from keras_bahdanau.layers import MonotonicAttention, attention_from_addons


def small_weights(**changed):
    """Weights of a plain attention with units=3."""
    weights = {
        "query_layer/kernel": np.full((5, 3), 0.1),
        "memory_layer/kernel": np.full((4, 3), 0.2),
        "attention_v": np.full(3, 0.3),
        **changed,
    }
    return {name: array for name, array in weights.items() if array is not None}


SMALL_CONFIG = {"units": 3, "normalize": False, "probability_fn": "softmax"}
NORMALIZED = {"attention_g": np.array(0.4), "attention_b": np.full(3, 0.5)}


@pytest.mark.parametrize(
    "pattern",
    [
        "{}",
        "{}:0",
        "decoder/attention/{}:0",
        "decoder/_attention_mechanisms/0/{}/.ATTRIBUTES/VARIABLE_VALUE",
    ],
)
def test_only_the_end_of_a_name_counts(pattern):
    weights = {pattern.format(name): array for name, array in small_weights().items()}
    layer = attention_from_addons(SMALL_CONFIG, weights)
    assert {weight.name: float(arrays_of(weight).flat[0]) for weight in layer.weights} == {
        "query_kernel": pytest.approx(0.1),
        "key_kernel": pytest.approx(0.2),
        "scale": pytest.approx(0.3),
    }


@pytest.mark.parametrize("name", ["Bob/kernel:0", "model/Bob_1/kernel:0"])
def test_the_query_kernel_may_have_the_name_of_the_mechanism_alone(name):
    weights = small_weights(**{"query_layer/kernel": None, name: np.full((5, 3), 0.1)})
    layer = attention_from_addons({**SMALL_CONFIG, "name": "Bob"}, weights)
    np.testing.assert_array_equal(arrays_of(layer.query_kernel), np.full((5, 3), 0.1, "float32"))


def test_the_config_is_taken_over():
    config = {
        "name": "aligner",
        "trainable": False,
        # As Keras 2 writes a policy.
        "dtype": {
            "module": "keras.mixed_precision",
            "class_name": "Policy",
            "config": {"name": "mixed_float16"},
            "registered_name": None,
        },
        "units": 3,
        "normalize": True,
        "probability_fn": "hardmax",
    }
    layer = attention_from_addons(config, small_weights(**NORMALIZED))
    assert type(layer) is BahdanauAttention
    assert (layer.name, layer.trainable, layer.dtype_policy.name) == (
        "aligner",
        False,
        "mixed_float16",
    )
    assert (layer.units, layer.normalize, layer.probability) == (3, True, "hardmax")


def test_the_config_of_monotonic_attention_is_taken_over():
    config = {
        "units": 3,
        "normalize": False,
        "sigmoid_noise": 0.5,
        "sigmoid_noise_seed": 7,
        "score_bias_init": -2.0,
        "mode": "recursive",
    }
    weights = small_weights(attention_score_bias=np.array(-1.5))
    layer = attention_from_addons({"class_name": "Any", "config": config}, weights)
    assert type(layer) is MonotonicAttention
    assert (layer.units, layer.normalize, layer.mode, layer.sigmoid_noise, layer.seed) == (
        3,
        False,
        "recursive",
        0.5,
        7,
    )
    assert arrays_of(layer.score_bias) == -1.5


def test_a_converted_layer_is_saved_like_any_other(tmp_path):
    layer = attention_from_addons(SMALL_CONFIG, small_weights())
    query, value = keras.Input((None, 5)), keras.Input((None, 4))
    model = keras.Model([query, value], layer(query, value))
    model.save(tmp_path / "model.keras")
    reloaded = keras.saving.load_model(tmp_path / "model.keras")
    data = [np.ones((2, 3, 5)), np.ones((2, 6, 4))]
    np.testing.assert_array_equal(arrays_of(reloaded(data)), arrays_of(model(data)))


@pytest.mark.parametrize(
    "changed, message",
    [
        ({"units": None}, r"`units` and some of .* Received: \["),
        ({"scale": True}, r"Received: .* where \['scale'\] have no equivalent"),
        ({"probability_fn": "sparsemax"}, "'softmax' or 'hardmax'. Received: .*'sparsemax'"),
        ({"sigmoid_noise": 0.5}, r"where \['sigmoid_noise'\] have no equivalent"),
        (
            {"query_layer": {"class_name": "Conv1D", "config": {}}},
            "`query_layer` to be a Dense layer.*Received: class_name='Conv1D'",
        ),
        (
            {"memory_layer": {"class_name": "Dense", "config": {"use_bias": True}}},
            "`memory_layer` to have use_bias=False.*Received: use_bias=True",
        ),
        (
            {"query_layer": {"class_name": "Dense", "config": {"activation": "relu"}}},
            "`query_layer` to have activation='linear'.*Received: activation='relu'",
        ),
    ],
)
def test_a_config_without_an_equal_here_is_refused(changed, message):
    config = {**SMALL_CONFIG, **changed}
    config = {option: value for option, value in config.items() if value is not None}
    with pytest.raises(ValueError, match=message):
        attention_from_addons(config, small_weights())


@pytest.mark.parametrize(
    "changed, message",
    [
        ({"attention_v": None}, r"Missing: \['attention_v'\]"),
        ({"memory_layer/kernel": None}, r"Missing: \['memory_layer/kernel'\]"),
        ({"attention_g": np.array(1.0)}, "and no other. Received: 'attention_g'"),
        ({"attention_score_bias": np.array(1.0)}, "no other. Received: 'attention_score_bias'"),
        ({"optimizer/attention_v/m": np.ones(3)}, "no other. Received: 'optimizer/attention_v/m'"),
        ({"other/kernel": np.ones((5, 3))}, "no other. Received: 'other/kernel'"),
        (
            {"b/attention_v:0": np.ones(3)},
            "Expected one weight for 'attention_v'. Received: 'attention_v' and 'b/attention_v:0'",
        ),
        (
            {"query_layer/kernel": np.ones((5, 4))},
            r"'query_layer/kernel' of shape \(None, 3\), with units=3. Received: shape=\(5, 4\)",
        ),
        ({"memory_layer/kernel": np.ones(3)}, r"Received: shape=\(3,\)"),
        ({"attention_v": np.ones((3, 1))}, r"'attention_v' of shape \(3,\).*shape=\(3, 1\)"),
    ],
)
def test_weights_that_do_not_fit_are_refused(changed, message):
    with pytest.raises(ValueError, match=message):
        attention_from_addons(SMALL_CONFIG, small_weights(**changed))


def test_both_kernels_under_the_name_of_the_mechanism_are_refused():
    weights = {
        "attention_wrapper/BahdanauAttention/kernel:0": np.ones((5, 3)),
        "BahdanauAttention/kernel:0": np.ones((4, 3)),
        "BahdanauAttention/attention_v:0": np.ones(3),
    }
    with pytest.raises(ValueError, match="pass them as 'query_layer/kernel' and 'memory_layer/"):
        attention_from_addons({**SMALL_CONFIG, "name": "BahdanauAttention"}, weights)


def test_a_normalized_attention_needs_its_gain_and_bias():
    config = {**SMALL_CONFIG, "normalize": True}
    with pytest.raises(ValueError, match=r"Missing: \['attention_g', 'attention_b'\]"):
        attention_from_addons(config, small_weights())
