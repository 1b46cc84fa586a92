"""Word alignment in the graph against `Translation.word_alignment`."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from keras_bahdanau.export.saved_model.word_alignment import GraphWordAlignment
from keras_bahdanau.text.tokenizer import END_ID, PAD_ID
from keras_bahdanau.translation.result import Translation

PIECES = ["<pad>", "<unk>", "<s>", "</s>"]
PIECES += ["▁", "▁the", "▁d", "og", "s", ".", "猫", "が", "▁好", "か°", "กา", "▁s猫", "</s"]
BATCH, N_BEST = 3, 2

SENTENCES = st.lists(st.sampled_from([1, *range(4, len(PIECES))]), max_size=7)
BATCHES = st.tuples(
    st.lists(SENTENCES, min_size=BATCH, max_size=BATCH),
    st.lists(SENTENCES, min_size=BATCH * N_BEST, max_size=BATCH * N_BEST),
    st.lists(st.booleans(), min_size=BATCH * N_BEST, max_size=BATCH * N_BEST),
    st.integers(0, 1 << 20),
)


@pytest.fixture(scope="module")
def graph_outputs():
    return tf.function(GraphWordAlignment(PIECES).outputs, reduce_retracing=True)


def padded(sequences):
    longest = max(map(len, sequences))
    return np.array([[*ids, *[PAD_ID] * (longest - len(ids))] for ids in sequences], "int32")


@settings(deadline=None)
@given(batch=BATCHES)
def test_the_graph_says_what_python_says(graph_outputs, batch):
    sources, targets, have_ends, seed = batch
    sources = [[*ids, END_ID] for ids in sources]
    targets = [[*ids, END_ID] if end else ids for ids, end in zip(targets, have_ends, strict=True)]
    source_ids, target_ids = padded(sources), padded(targets)
    random = np.random.default_rng(seed)
    # Powers of two, whose sums do not depend on their order.
    exponents = random.integers(1, 9, (len(targets), target_ids.shape[1], source_ids.shape[1]))
    attention = (0.5**exponents / 16).astype("float32")
    for row, target in enumerate(targets):
        attention[row, len(target) :] = 0
        attention[row, :, len(sources[row // N_BEST]) :] = 0
    outputs = graph_outputs(
        source_ids,
        target_ids.reshape(BATCH, N_BEST, -1),
        attention.reshape(BATCH, N_BEST, *attention.shape[1:]),
    )
    outputs = {name: tensor.numpy() for name, tensor in outputs.items()}
    for row, target in enumerate(targets):
        source = sources[row // N_BEST]
        translation = Translation(
            "",
            0.0,
            tuple(PIECES[i] for i in source),
            tuple(PIECES[i] for i in target),
            attention[row, : len(target), : len(source)],
        )
        expected = translation.word_alignment()
        place = row // N_BEST, row % N_BEST
        for words, found in (
            (expected.source_words, outputs["source_words"][place[0]]),
            (expected.target_words, outputs["target_words"][place]),
        ):
            assert [word.decode() for word in found] == [*words, *[""] * (len(found) - len(words))]
        weights = outputs["word_attention"][place]
        rows, columns = expected.weights.shape
        np.testing.assert_allclose(weights[:rows, :columns], expected.weights, rtol=1e-6)
        assert not weights[rows:].any() and not weights[:, columns:].any()
        links = outputs["word_alignment"][place].decode()
        if rows and columns and links != expected.pharaoh():
            # Means of several pieces may differ in their last digit, and so the greatest of them.
            chosen = [tuple(map(int, link.split("-"))) for link in links.split()]
            assert [target for _, target in chosen] == list(range(rows))
            best = expected.weights.max(axis=1)
            found = [expected.weights[target, source] for source, target in chosen]
            np.testing.assert_allclose(found, best, rtol=1e-6)
        else:
            assert links == expected.pharaoh()
