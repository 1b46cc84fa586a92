"""Gradients that are made after the loop are those that the loop would make."""

from functools import partial

import keras
import numpy as np
import pytest
from attention_oracle import arrays_of
from keras import ops
from on_backend import cases, compiled, value_and_gradients, weighted_loss

from keras_bahdanau import AttentionRNN, BahdanauAttention
from keras_bahdanau.recurrent.gru_cell import GRUCell
from keras_bahdanau.recurrent.packed_rnn import SkippingRNN
from keras_bahdanau.time_loop.scan import scan
from keras_bahdanau.time_loop.weight_gradients import Kernel

RANDOM = np.random.default_rng(12)
LENGTHS = np.array([2, 5, 0, 4, 1, 3, 5, 2, 1, 4, 3])
MASK = np.arange(5) < LENGTHS[:, None]
SEQUENCE = RANDOM.normal(size=(*MASK.shape, 3)).astype("float32")
MEMORY = RANDOM.normal(size=(len(MASK), 6, 7)).astype("float32")
# How often the loop runs depends on the mask, so `torch.compile` does not apply.
BACKEND = keras.backend.backend()
COMPILES = [None] if BACKEND == "torch" else [None, compiled]


def assert_equal_gradients(losses, arrays, compile=None):
    both = [value_and_gradients(loss, arrays, compile=compile) for loss in losses]
    (value, gradients), (expected, expected_gradients) = both
    np.testing.assert_allclose(value, expected, rtol=1e-5)
    for gradient, expected_gradient in zip(gradients, expected_gradients, strict=True):
        assert expected_gradient.any()
        np.testing.assert_allclose(gradient, expected_gradient, atol=2e-5)


def probe(shape):
    return np.cos(np.arange(np.prod(shape))).reshape(shape)


def variable(*shape):
    return keras.Variable(RANDOM.normal(size=shape).astype("float32"))


@pytest.mark.parametrize("compile", COMPILES)
@pytest.mark.parametrize("uses", [0, 1, 2])
def test_of_kernels_and_matrices_that_a_step_uses_never_once_or_twice(uses, compile):
    kernel, other = variable(3, 3), variable(3, 3)

    def loss(defer):
        def function(sequence, state, matrices, weight, other_weight, bias):
            def step(inputs, states, constants, matmul):
                state = ops.tanh(matmul(inputs + states[0], other))
                for _ in range(uses):
                    state = ops.sin(matmul(state, kernel, bias) + matmul(state, constants[0]))
                return state, [state]

            with keras.StatelessScope([(kernel, weight), (other, other_weight)]):
                factors = [
                    Kernel(kernel, bias, "float32"),
                    Kernel(other, None, "float32"),
                    matrices,
                ]
                outputs, last = scan(
                    step,
                    sequence,
                    [state],
                    (matrices,),
                    ops.convert_to_tensor(MASK),
                    pack=True,
                    factors=factors if defer else (),
                )
            used = ops.sum(weight**2) + ops.sum(bias**2) + ops.sum(matrices**2)
            return ops.sum(outputs * ops.convert_to_tensor(probe(SEQUENCE.shape), "float32")) + (
                ops.sum(last[0] ** 2) + used
            )

        return function

    arrays = [SEQUENCE, *(RANDOM.normal(size=s).astype("float32") for s in [(11, 3), (11, 3, 3)])]
    arrays += [*map(arrays_of, (kernel, other)), RANDOM.normal(size=3).astype("float32")]
    assert_equal_gradients([loss(True), loss(False)], arrays, compile)


@pytest.mark.parametrize("compile", COMPILES)
@pytest.mark.parametrize("go_backwards", cases([False, True], most=1))
def test_of_a_recurrent_layer(go_backwards, compile):
    layers = [
        SkippingRNN(cell(4), return_sequences=True, go_backwards=go_backwards)
        for cell in (GRUCell, keras.layers.GRUCell)
    ]
    for layer in layers:
        layer.build(SEQUENCE.shape)
    arrays = [SEQUENCE, *(RANDOM.normal(size=w.shape).astype("float32") for w in layers[0].weights)]
    mask = ops.convert_to_tensor(MASK)
    losses = [weighted_loss(layer, probe, mask=mask, training=True) for layer in layers]
    assert_equal_gradients(losses, arrays, compile)


def stack(cell):
    return keras.layers.StackedRNNCells([cell(4), cell(5)])


DECODERS = {
    "before": lambda cell, attention: {"cell": cell(4), "attention": attention()},
    "after, stacked": lambda cell, attention: {
        "cell": stack(cell),
        "attention": attention(),
        "order": "after",
        "attention_layer": keras.layers.Dense(3, activation="tanh"),
    },
    "several of one memory": lambda cell, attention: {
        "cell": cell(4),
        "attention": [attention(), attention()],
    },
    "between": lambda cell, attention: {
        "cell": cell(4),
        "second_cell": cell(4),
        "attention": attention(),
        "order": "between",
    },
}


@pytest.mark.parametrize("compile", COMPILES)
@pytest.mark.parametrize("name", cases(DECODERS))
def test_of_recurrent_attention(name, compile):
    layers = [
        AttentionRNN(**DECODERS[name](cell, partial(BahdanauAttention, 3)), skip_padding=skip)
        for cell, skip in [(GRUCell, True), (keras.layers.GRUCell, False)]
    ]
    inputs_mask = ops.convert_to_tensor(MASK)
    for layer in layers:
        layer.build(SEQUENCE.shape, MEMORY.shape)

    def kept(shape):
        # The last states of the layer that computes padding are those after it.
        return probe(shape) * MASK[..., None] if len(shape) == 3 else 0 * probe(shape)

    arrays = [SEQUENCE, MEMORY]
    arrays += [RANDOM.normal(size=w.shape).astype("float32") for w in layers[0].trainable_variables]
    losses = [
        weighted_loss(layer, kept, inputs_mask=inputs_mask, training=True) for layer in layers
    ]
    assert_equal_gradients(losses, arrays, compile)


@pytest.mark.skipif(BACKEND == "jax", reason="defers nothing on JAX, which has no loop that packs")
def test_half_precision_loses_nothing_from_step_to_step():
    """A thousand steps add 1 to each gradient, where a sum in bfloat16 would stay at 256."""
    kernel, length = keras.Variable(np.zeros((1, 1), "float32")), 1000

    def loss(weight, bias):
        def step(inputs, states, constants, matmul):
            half = matmul(ops.cast(inputs, "bfloat16"), kernel, ops.cast(bias, "bfloat16"))
            return ops.cast(half, "float32"), states

        with keras.StatelessScope([(kernel, weight)]):
            outputs, _ = scan(
                step,
                ops.ones((1, length, 1)),
                [ops.zeros((1, 1))],
                mask=ops.ones((1, length), "bool"),
                pack=True,
                factors=[Kernel(kernel, bias, "bfloat16")],
            )
        return ops.sum(outputs)

    arrays = [np.zeros((1, 1), "float32"), np.zeros(1, "float32")]
    _, (of_kernel, of_bias) = value_and_gradients(loss, arrays)
    np.testing.assert_array_equal(of_kernel, 1000)
    np.testing.assert_array_equal(of_bias, 1000)
