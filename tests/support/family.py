"""Every layer of the family with the options that change what it computes."""

import keras

from keras_bahdanau.layers.bahdanau_attention import BahdanauAttention
from keras_bahdanau.layers.coverage_attention import CoverageAttention
from keras_bahdanau.layers.location_sensitive_attention import LocationSensitiveAttention
from keras_bahdanau.layers.monotonic_attention import MonotonicAttention
from keras_bahdanau.layers.monotonic_chunkwise_attention import MonotonicChunkwiseAttention
from keras_bahdanau.recurrent.attention_rnn import AttentionRNN

LOCATION = {"filters": 3, "kernel_size": 4}
ALL = {"use_bias": True, "normalize": True, "layer_normalization": True, "temperature": 0.5}
ATTENTIONS = {
    "plain": (BahdanauAttention, {}),
    "bias": (BahdanauAttention, {"use_bias": True}),
    "normalized": (BahdanauAttention, {"normalize": True}),
    "layer_normalized": (BahdanauAttention, {"layer_normalization": True}),
    "temperature": (BahdanauAttention, {"temperature": 2.0}),
    "dropout": (BahdanauAttention, {"dropout": 0.3, "position_dropout": 0.2, "seed": 1}),
    "hardmax": (BahdanauAttention, {"probability": "hardmax"}),
    "all": (BahdanauAttention, ALL),
    "location": (LocationSensitiveAttention, LOCATION),
    "location_both": (LocationSensitiveAttention, {**LOCATION, **ALL, "features": "both"}),
    "location_window": (LocationSensitiveAttention, {**LOCATION, "window": (1, 2)}),
    "location_smooth": (
        LocationSensitiveAttention,
        {**LOCATION, "features": "previous", "smoothing": True, "dropout": 0.3},
    ),
    "coverage": (CoverageAttention, {}),
    "coverage_fertile": (CoverageAttention, {**ALL, "fertility": 2.0}),
    "coverage_loss": (CoverageAttention, {"coverage_loss_weight": 1.0, "dropout": 0.3}),
    "monotonic": (MonotonicAttention, {}),
    "monotonic_parallel": (MonotonicAttention, {"mode": "parallel", "normalize": False}),
    "monotonic_hard": (MonotonicAttention, {"inference_mode": "hard", "sigmoid_noise": 1.0}),
    "monotonic_all": (MonotonicAttention, {**ALL, "dropout": 0.3, "sigmoid_noise": 1.0}),
    "chunkwise": (MonotonicChunkwiseAttention, {"chunk_size": 3}),
    "chunkwise_all": (
        MonotonicChunkwiseAttention,
        {**ALL, "chunk_size": 2, "mode": "parallel", "sigmoid_noise": 1.0},
    ),
    "chunkwise_hard": (MonotonicChunkwiseAttention, {"chunk_size": 3, "inference_mode": "hard"}),
}
# One of each class, for what takes long.
CLASSES = ("plain", "location", "coverage", "monotonic", "chunkwise")
UNITS = 5


def options_of(name):
    """The class and the arguments of an attention layer."""
    attention_class, options = ATTENTIONS[name]
    return attention_class, {"units": UNITS, **options}


def new_attention(name, **kwargs):
    attention_class, options = options_of(name)
    return attention_class(**options, **kwargs)


def _gru(**kwargs):
    return keras.layers.GRUCell(6, **kwargs)


def _stack(**kwargs):
    return keras.layers.StackedRNNCells(
        [keras.layers.LSTMCell(4, **kwargs), keras.layers.LSTMCell(6, **kwargs)]
    )


RECURRENT = {
    "before": lambda: {"cell": _gru(), "attention": new_attention("plain")},
    "after": lambda: {
        "cell": _stack(dropout=0.3, recurrent_dropout=0.3),
        "attention": new_attention("dropout"),
        "order": "after",
        "attention_layer": keras.layers.Dense(6, use_bias=False, activation="tanh"),
    },
    "between": lambda: {
        "cell": _gru(),
        "attention": new_attention("normalized"),
        "order": "between",
        "second_cell": _gru(),
    },
    "location": lambda: {"cell": _stack(), "attention": new_attention("location_both")},
    "coverage": lambda: {
        "cell": _gru(),
        "attention": new_attention("coverage_loss"),
        "order": "after",
    },
    "monotonic": lambda: {"cell": _gru(), "attention": new_attention("monotonic_hard")},
    "chunkwise": lambda: {"cell": _gru(), "attention": new_attention("chunkwise_all")},
    "several": lambda: {
        "cell": _gru(),
        "attention": [new_attention("plain"), new_attention("coverage_fertile")],
        "order": "after",
    },
}


def new_recurrent(name, **kwargs):
    return AttentionRNN(**RECURRENT[name](), **kwargs)
