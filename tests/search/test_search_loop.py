import functools

import keras
import numpy as np
import pytest
from keras import ops
from toy_language import IDS, PAD, ToyLanguage, arrays_of, constants_of, toy_step

from keras_bahdanau.search import beam_search, greedy_search


@pytest.mark.skipif(
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


@pytest.mark.parametrize("options", [{}, {"length_penalty_type": "wu"}, {"coverage_penalty": 0.1}])
@pytest.mark.parametrize("length_penalty", [0.0, 0.3, 1.0, 2.0])
def test_what_is_dropped_would_not_have_been_among_the_best(length_penalty, options):
    language = ToyLanguage(sentences=40, vocabulary_size=8, seed=9)
    # No hypothesis is dropped where all are wanted.
    options = {"beam_width": 5, "max_length": 12, "length_penalty": length_penalty, **options}
    everything = arrays_of(language.search_with(beam_search, n_best=5, **options))
    for n_best in (1, 2, 4):
        for name, value in arrays_of(
            language.search_with(beam_search, n_best=n_best, **options)
        ).items():
            np.testing.assert_allclose(value, everything[name][:, :n_best], rtol=1e-6, err_msg=name)


def test_nothing_is_computed_after_the_best_is_certain():
    language = ToyLanguage(sentences=1, vocabulary_size=8, seed=9)
    # The end is nearly certain everywhere, and one of the words the next best.
    language.logits[:, :, 2] = 20
    calls = []

    def run(step, *arguments, **options):
        def counted(*arguments):
            calls.append(1)
            return step(*arguments)

        return beam_search(counted, *arguments, **options)

    options = {"beam_width": 4, "max_length": 30, "length_penalty": 0.0}
    language.search_with(run, n_best=1, **options)
    assert len(calls) == 1
