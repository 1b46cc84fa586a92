"""Compiled by tf.function or torch.compile, layers compute what they compute eagerly."""

import numpy as np
import pytest
from attention_oracle import arrays_of
from family import CLASSES, new_attention, new_recurrent
from keras import ops
from on_backend import compiled, long_on, value_and_gradients, weighted_loss

RANDOM = np.random.default_rng(9)
QUERY = RANDOM.normal(size=(3, 2, 3)).astype("float32")
VALUE = RANDOM.normal(size=(3, 6, 7)).astype("float32")
MASK = np.array([[1] * 6, [1, 0, 1, 1, 0, 0], [1, 1, 1, 1, 1, 0]], dtype=bool)


def check(layer, query, value, **call_arguments):
    """Compares outputs (their sum, each with a factor of its own) and all gradients of them."""
    layer.build(query.shape, value.shape)
    call_arguments = {name: ops.convert_to_tensor(x) for name, x in call_arguments.items()}
    loss = weighted_loss(layer, _probe, **call_arguments)
    arrays = [query, value, *arrays_of(layer.trainable_variables)]
    expected_loss, expected_gradients = value_and_gradients(loss, arrays)
    received_loss, gradients = value_and_gradients(loss, arrays, compile=compiled)
    np.testing.assert_allclose(received_loss, expected_loss, rtol=1e-4)
    for gradient, expected_gradient in zip(gradients, expected_gradients, strict=True):
        np.testing.assert_allclose(gradient, expected_gradient, atol=1e-5)


def _probe(shape):
    return np.cos(np.arange(np.prod(shape))).reshape(shape).astype("float32")


def with_long_cases(first, *others):
    """PyTorch compiles the first case alone; the exhaustive checks have the others."""
    return [first, *(long_on(["torch"], name) for name in others)]


@pytest.mark.parametrize("name", with_long_cases(*CLASSES, "location_window"))
def test_attention_layers(name):
    check(new_attention(name), QUERY, VALUE, value_mask=MASK)


@pytest.mark.parametrize("name", with_long_cases("coverage", "plain"))
def test_one_step_of_attention_layers(name):
    check(new_attention(name), QUERY[:, 0], VALUE, value_mask=MASK)


@pytest.mark.parametrize("name", with_long_cases("before", "between", "coverage", "chunkwise"))
def test_recurrent_layers(name):
    check(new_recurrent(name), QUERY, VALUE, memory_mask=MASK)
