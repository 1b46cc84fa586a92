"""Converts attention mechanisms of TensorFlow Addons, config and weights, to layers."""

import re

import numpy as np

from keras_bahdanau.layers.bahdanau_attention import BahdanauAttention
from keras_bahdanau.layers.monotonic_attention import MonotonicAttention

# The ends of TensorFlow Addons' weight names, and the names of the same weights here.
WEIGHT_NAMES = {
    "query_layer/kernel": "query_kernel",
    "memory_layer/kernel": "key_kernel",
    "attention_v": "scale",
    "attention_g": "gain",
    "attention_b": "bias",
    "attention_score_bias": "score_bias",
}
OPTIONS = {
    *("name", "trainable", "dtype", "memory", "units", "normalize", "kernel_initializer"),
    *("query_layer", "memory_layer"),
}
SOFTMAX_OPTIONS = {"probability_fn"}
MONOTONIC_OPTIONS = {"mode", "sigmoid_noise", "sigmoid_noise_seed", "score_bias_init"}
# The options with which TensorFlow Addons makes `query_layer` and `memory_layer`.
DENSE_OPTIONS = {
    "activation": "linear",
    "use_bias": False,
    "kernel_regularizer": None,
    "activity_regularizer": None,
    "kernel_constraint": None,
}
CHECKPOINT_SUFFIX = "/.ATTRIBUTES/VARIABLE_VALUE"


def attention_from_addons(config, weights):
    """Converts an attention mechanism of TensorFlow Addons to the equal layer.

    `tfa.seq2seq.BahdanauAttention` becomes a `BahdanauAttention`, and
    `tfa.seq2seq.BahdanauMonotonicAttention` a `MonotonicAttention`. TensorFlow Addons is not
    needed for it:

        query_layer/kernel -> query_kernel      attention_g          -> gain
        memory_layer/kernel -> key_kernel       attention_b          -> bias
        attention_v -> scale                    attention_score_bias -> score_bias

    The contexts are those that `tfa.seq2seq.AttentionWrapper` computes, for the cell's new output
    as query (`order="after"` of `AttentionRNN`). One thing differs: TensorFlow Addons adds
    `sigmoid_noise` at inference as well; here it is added in training only.

    Args:
        config: dict, what `get_config()` of the attention mechanism returned, or that dict as
            Keras serializes it, `{"class_name": ..., "config": ...}`. Initializers are not taken
            over, since each weight gets its value here.
        weights: mapping from names to arrays. A name is the variable's
            (`"BahdanauAttention/attention_v:0"`), a key of a TensorFlow checkpoint
            (`"decoder/attention/attention_v/.ATTRIBUTES/VARIABLE_VALUE"`), or the bare
            `"attention_v"`; only its end counts. TensorFlow Addons calls the query layer's kernel
            `"BahdanauAttention/kernel:0"`, after the attention mechanism alone: that name is
            understood where it stands for one kernel only.

    Returns:
        A built `BahdanauAttention` or `MonotonicAttention`.

    Raises:
        ValueError: an option that no layer here has, a weight too few or too many, or shapes that
            do not fit together.

    Example:

    >>> config = {"units": 8, "normalize": False, "probability_fn": "softmax"}
    >>> weights = {
    ...     "query_layer/kernel": np.ones((5, 8)),
    ...     "memory_layer/kernel": np.ones((6, 8)),
    ...     "attention_v": np.ones(8),
    ... }
    >>> layer = attention_from_addons(config, weights)
    >>> layer(np.ones((2, 5)), np.ones((2, 3, 6))).shape
    (2, 6)
    """
    config = config.get("config", config)
    monotonic = "mode" in config
    _check_config(config, monotonic)
    arrays = _arrays_by_name(config, weights, monotonic)
    _check_shapes(config, arrays)

    layer = _new_monotonic_attention(config) if monotonic else _new_bahdanau_attention(config)
    query_dim, key_dim = (
        arrays["query_layer/kernel"].shape[0],
        arrays["memory_layer/kernel"].shape[0],
    )
    layer.build((None, query_dim), (None, None, key_dim))
    for name, array in arrays.items():
        getattr(layer, WEIGHT_NAMES[name]).assign(array)
    return layer


def _new_bahdanau_attention(config):
    return BahdanauAttention(
        config["units"],
        normalize=config.get("normalize", False),
        probability=config.get("probability_fn", "softmax"),
        **_keras_arguments(config),
    )


def _new_monotonic_attention(config):
    return MonotonicAttention(
        config["units"],
        normalize=config.get("normalize", False),
        mode=config["mode"],
        sigmoid_noise=config.get("sigmoid_noise", 0.0),
        seed=config.get("sigmoid_noise_seed"),
        **_keras_arguments(config),
    )


def _keras_arguments(config):
    dtype = config.get("dtype")
    return {
        "name": config.get("name"),
        "trainable": config.get("trainable", True),
        # Keras 2 writes a mixed policy as a dict, whose module Keras 3 does not have.
        "dtype": dtype["config"]["name"] if isinstance(dtype, dict) else dtype,
    }


def _check_config(config, monotonic):
    known = OPTIONS | (MONOTONIC_OPTIONS if monotonic else SOFTMAX_OPTIONS)
    unknown = sorted(set(config) - known)
    if unknown or "units" not in config:
        raise ValueError(
            "Expected the config of a TensorFlow Addons `BahdanauAttention` or "
            f"`BahdanauMonotonicAttention`: `units` and some of {sorted(known - {'units'})}. "
            f"Received: {sorted(config)}, where {unknown} have no equivalent here"
        )
    if config.get("probability_fn", "softmax") not in ("softmax", "hardmax"):
        raise ValueError(
            "Expected `probability_fn` to be 'softmax' or 'hardmax'. "
            f"Received: probability_fn={config['probability_fn']!r}"
        )
    for layer in ("query_layer", "memory_layer"):
        _check_dense(layer, config.get(layer) or {})


def _check_dense(name, serialized):
    class_name = serialized.get("class_name", "Dense")
    if class_name != "Dense":
        raise ValueError(
            f"Expected `{name}` to be a Dense layer, the only kind that can be converted. "
            f"Received: class_name={class_name!r}"
        )
    options = serialized.get("config", {})
    for option, expected in DENSE_OPTIONS.items():
        if options.get(option, expected) != expected:
            raise ValueError(
                f"Expected `{name}` to have {option}={expected!r}, the only value that can be "
                f"converted. Received: {option}={options[option]!r}"
            )


def _arrays_by_name(config, weights, monotonic):
    """The arrays under the names that are the keys of `WEIGHT_NAMES`."""
    expected = ["query_layer/kernel", "memory_layer/kernel", "attention_v"]
    if config.get("normalize", False):
        expected += ["attention_g", "attention_b"]
    if monotonic:
        expected += ["attention_score_bias"]

    names = {}
    for received in weights:
        name = _known_name(received, config.get("name"))
        if name not in expected:
            raise ValueError(
                f"Expected weights whose names end in {expected}, and no other. "
                f"Received: {received!r}"
            )
        if name in names:
            raise ValueError(
                f"Expected one weight for {name!r}. Received: {names[name]!r} and {received!r}. "
                "Where TensorFlow Addons gives the kernels of `attention.query_layer` and "
                "`attention.memory_layer` one name, pass them as 'query_layer/kernel' and "
                "'memory_layer/kernel'"
            )
        names[name] = received
    missing = [name for name in expected if name not in names]
    if missing:
        raise ValueError(
            f"Expected weights whose names end in {expected}. Missing: {missing}. "
            f"Received: {sorted(weights)}"
        )
    return {name: np.asarray(weights[names[name]]) for name in expected}


def _known_name(received, layer_name):
    parts = received.removesuffix(CHECKPOINT_SUFFIX).split(":")[0].split("/")
    for end in ("/".join(parts[-2:]), parts[-1]):
        if end in WEIGHT_NAMES:
            return end
    # The query layer is built, not called, by TensorFlow Addons, which leaves its name out.
    if layer_name and re.fullmatch(rf"{re.escape(layer_name)}(_\d+)?/kernel", "/".join(parts[-2:])):
        return "query_layer/kernel"
    return None


def _check_shapes(config, arrays):
    units = config["units"]
    shapes = {
        **dict.fromkeys(("query_layer/kernel", "memory_layer/kernel"), (None, units)),
        **dict.fromkeys(("attention_v", "attention_b"), (units,)),
        **dict.fromkeys(("attention_g", "attention_score_bias"), ()),
    }
    for name, array in arrays.items():
        expected = shapes[name]
        if array.ndim != len(expected) or array.shape[-1:] != expected[-1:]:
            raise ValueError(
                f"Expected {name!r} of shape {expected}, with units={units}. "
                f"Received: shape={array.shape}"
            )
