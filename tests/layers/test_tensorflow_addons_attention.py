"""Parity of converted attention layers with TensorFlow Addons itself."""

import json

import keras
import numpy as np
import pytest
from addons_arrays import assert_close, cases, mask_of, under
from attention_oracle import arrays_of
from keras import ops

from keras_bahdanau.layers import attention_from_addons
from keras_bahdanau.layers.tensorflow_addons import WEIGHT_NAMES

MECHANISMS = {**cases("attention"), **cases("monotonic_attention")}


def converted(arrays):
    return attention_from_addons(json.loads(str(arrays["config"])), under(arrays, "weights/"))


@pytest.mark.parametrize("case", MECHANISMS)
def test_all_queries_at_once_give_the_same_contexts_and_alignments(case):
    arrays = MECHANISMS[case]
    context, weights = converted(arrays)(
        arrays["queries"],
        arrays["memory"],
        value_mask=mask_of(arrays["lengths"], arrays["memory"]),
        return_attention_scores=True,
    )
    assert_close(weights, arrays["alignments"])
    assert_close(context, arrays["contexts"])


@pytest.mark.parametrize("case", MECHANISMS)
def test_one_query_after_the_other_gives_the_same_contexts_and_alignments(case):
    arrays = MECHANISMS[case]
    layer, memory = converted(arrays), arrays["memory"]
    keys, state = layer.project_keys(memory), layer.get_initial_state(memory)
    for i in range(arrays["queries"].shape[1]):
        context, weights, state = layer(
            arrays["queries"][:, i],
            memory,
            value_mask=mask_of(arrays["lengths"], memory),
            keys=keys,
            attention_state=state,
            return_attention_scores=True,
            return_attention_state=True,
        )
        assert_close(weights, arrays["alignments"][:, i])
        assert_close(context, arrays["contexts"][:, i])


class SquaredContexts(keras.Model):
    """Contexts of a query and a memory that are weights, so that a training step moves them."""

    def __init__(self, attention, queries, memory):
        super().__init__()
        self.attention = attention
        self.queries = self.add_weight(shape=queries.shape, name="queries")
        self.memory = self.add_weight(shape=memory.shape, name="memory")
        self.queries.assign(queries)
        self.memory.assign(memory)

    def call(self, mask):
        return self.attention(
            ops.convert_to_tensor(self.queries),
            ops.convert_to_tensor(self.memory),
            value_mask=mask,
        )


@pytest.mark.parametrize("case", [case for case in MECHANISMS if "hard" not in case])
def test_the_gradients_of_the_sum_of_squares_are_the_same(case):
    arrays = MECHANISMS[case]
    model = SquaredContexts(converted(arrays), arrays["queries"], arrays["memory"])
    # Each weight moves by its gradient. In a graph TensorFlow may move one too early.
    optimizer, loss = keras.optimizers.SGD(1.0), lambda _, contexts: ops.sum(ops.square(contexts))
    model.compile(optimizer, loss, run_eagerly=True)
    before = {weight.name: arrays_of(weight) for weight in model.trainable_weights}
    mask = mask_of(arrays["lengths"], arrays["memory"])
    model.train_on_batch(mask, np.zeros_like(arrays["contexts"]))
    moved = {weight.name: before[weight.name] - arrays_of(weight) for weight in model.weights}
    for name, gradient in under(arrays, "gradients/").items():
        tolerance = 1e-5 * max(1, np.abs(gradient).max())
        np.testing.assert_allclose(moved[name_here(name)], gradient, atol=tolerance, err_msg=name)


def name_here(name):
    """`query_kernel` for `weights/BahdanauAttention/kernel:0`; `memory` for `memory`."""
    end = name.split(":")[0].partition("/")[2].partition("/")[2]
    return {"": name, "kernel": "query_kernel", **WEIGHT_NAMES}[end]
