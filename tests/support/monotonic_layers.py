"""Inputs and built layers for the tests of monotonic and of monotonic chunkwise attention."""

import keras
import numpy as np
from attention_oracle import arrays_of

RANDOM = np.random.default_rng(1)
QUERY = RANDOM.normal(size=(4, 5, 5)).astype("float32")
VALUE = RANDOM.normal(size=(4, 7, 6)).astype("float32")
KEY = RANDOM.normal(size=(4, 7, 2)).astype("float32")
# All, some (not only at the end, and not the first) and none of the positions.
VALUE_MASK = np.array([[1] * 7, [1, 1, 1, 1, 0, 0, 0], [0, 1, 0, 1, 1, 1, 0], [0] * 7], dtype=bool)


def built(layer_class, *args, **kwargs):
    """A built layer whose monotonic scores are some above zero and some below."""
    bias = keras.initializers.Constant(-0.3)
    layer = layer_class(*args, score_bias_initializer=bias, **kwargs)
    layer.build(QUERY.shape, VALUE.shape)
    generator = np.random.default_rng(2)
    for weight in layer.weights:
        if weight is not layer.score_bias:
            weight.assign(generator.normal(scale=0.6, size=weight.shape))
    if layer.gain is not None:
        layer.gain.assign(1.0)
    return layer


def attend(layer, *args, **kwargs):
    """Context, weights and state."""
    kwargs = {"return_attention_scores": True, "return_attention_state": True, **kwargs}
    return arrays_of(layer(*args, **kwargs))
