import keras
import numpy as np
import pytest
from toy_corpus import random_pieces

from keras_bahdanau.training.data.batch_plan import BatchPlan
from keras_bahdanau.training.data.batches import Batches, dataset_of
from keras_bahdanau.training.data.corpus_writer import build_corpus


@pytest.fixture
def batches(tmp_path):
    pairs = random_pieces(30)
    corpus = build_corpus(tmp_path / "corpus", pairs, end_id=3, max_length=64, vocabulary_size=20)
    plan = BatchPlan(corpus.source_lengths, corpus.target_lengths, batch_size=4)
    return Batches(corpus, plan, start=2)


def test_items_are_those_of_the_batches_in_order(batches):
    made = []

    def generate():
        for index in range(len(batches)):
            made.append(index)
            yield batches[index]

    received = list(dataset_of(generate).as_numpy_iterator())
    assert made == list(range(len(batches)))
    assert len(received) == len(batches)
    for index, item in enumerate(received):
        keras.tree.assert_same_structure(item, batches[index])
        for one, other in zip(
            keras.tree.flatten(item), keras.tree.flatten(batches[index]), strict=True
        ):
            np.testing.assert_array_equal(one, other)
            assert one.dtype == other.dtype


def test_nothing_tunes_itself_and_every_shape_fits_the_signature(batches):
    dataset = dataset_of(lambda: iter([batches[0]]))
    assert dataset.options().autotune.enabled is False
    assert all(
        spec.shape.as_list() == [None, None] for spec in keras.tree.flatten(dataset.element_spec)
    )
