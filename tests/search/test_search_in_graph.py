"""Greedy and beam search inside `tf.function`, where every size is unknown."""

import functools

import keras
import numpy as np
import pytest
from keras import ops
from toy_language import IDS, PAD, ToyLanguage, constants_of, toy_step

from keras_bahdanau.search import beam_search, greedy_search

pytestmark = pytest.mark.skipif(
    keras.config.backend() != "tensorflow", reason="tf.function belongs to the TensorFlow backend"
)


@pytest.mark.parametrize("with_attention", [True, False])
@pytest.mark.parametrize("beam_width", [None, 3])
def test_graph_with_unknown_shapes_equals_eager(beam_width, with_attention):
    import tensorflow as tf

    search = greedy_search
    if beam_width:
        search = functools.partial(beam_search, beam_width=beam_width, n_best=2)

    def run(logits, memory, max_length):
        def step(*arguments):
            *rest, attention_scores = toy_step(*arguments)
            return *rest, attention_scores if with_attention else None

        states = {"history": ops.zeros_like(max_length), "counts": (ops.zeros_like(memory[:, :1]),)}
        options = {"max_length": max_length, "min_length": 1, "suppressed_ids": (PAD,)}
        fields = search(step, states, constants_of(logits, memory), **options, **IDS)._asdict()
        return {name: value for name, value in fields.items() if value is not None}

    graph = tf.function(
        run,
        input_signature=[
            tf.TensorSpec((None, None, 6), "float32"),
            tf.TensorSpec((None, None), "float32"),
            tf.TensorSpec((None,), "int32"),
        ],
    )
    for sentences, source_length in [(1, 2), (4, 5)]:
        language = ToyLanguage(sentences, 6, seed=sentences, source_length=source_length)
        max_length = tf.range(5, 5 + sentences)
        inputs = tf.constant(language.logits), tf.constant(language.memory), max_length
        eager, traced = run(*inputs), graph(*inputs)
        assert eager.keys() == traced.keys()
        assert ("attention_scores" in eager) == with_attention
        for name, value in eager.items():
            np.testing.assert_allclose(traced[name], value, rtol=1e-6, err_msg=name)
    assert graph.experimental_get_tracing_count() == 1
