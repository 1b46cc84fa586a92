import numpy as np
import pytest

from keras_bahdanau.text.tokenizer import by_length, pad_ids


def test_padding_is_on_the_right():
    padded = pad_ids([[5, 6, 7], [8], []])
    np.testing.assert_array_equal(padded, [[5, 6, 7], [8, 0, 0], [0, 0, 0]])
    assert padded.dtype == np.int32


def test_a_given_length():
    np.testing.assert_array_equal(pad_ids([[5], [6, 7]], length=3), [[5, 0, 0], [6, 7, 0]])


@pytest.mark.parametrize("sequences", [[], [[]], [[], []]])
def test_a_batch_without_ids_has_one_column(sequences):
    assert pad_ids(sequences).shape == (len(sequences), 1)


@pytest.mark.parametrize("batch_size", [1, 2, 3, 10])
def test_batches_hold_every_index_once_longest_first(batch_size):
    lengths = [3, 9, 1, 9, 0, 4, 2]
    batches = by_length(lengths, batch_size)
    order = [index for batch in batches for index in batch]
    assert sorted(order) == list(range(len(lengths)))
    assert [lengths[index] for index in order] == sorted(lengths, reverse=True)
    assert all(len(batch) <= batch_size for batch in batches)


def test_the_tokens_of_a_batch_are_limited():
    lengths = [100, 1, 30, 10, 20, 0]
    batches = by_length(lengths, 4, max_tokens=60)
    assert [batch.tolist() for batch in batches] == [[0], [2, 4], [3, 1, 5]]


def test_no_sequences_give_no_batches():
    assert by_length([], 4) == []


def test_a_batch_size_of_zero_is_refused():
    with pytest.raises(ValueError, match="batch_size of at least 1. Received: 0"):
        by_length([1, 2], 0)
