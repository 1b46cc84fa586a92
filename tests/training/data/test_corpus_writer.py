import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_bahdanau.errors import InputError
from keras_bahdanau.training.data.corpus_writer import build_corpus
from keras_bahdanau.training.data.tokenized_corpus import TokenizedCorpus

PAIRS = [([5], [6]), ([5] * 4, [6]), ([5], [6] * 9), ([5] * 3, [6] * 3)]


def build(directory, pairs, **options):
    options = {"end_id": 3, "max_length": 128, "vocabulary_size": 1000, **options}
    return build_corpus(directory, pairs, **options)


@pytest.mark.parametrize(("vocabulary_size", "bytes_each"), [(65_536, 2), (65_537, 4)])
def test_ids_take_the_bytes_that_they_need_and_are_mapped(tmp_path, vocabulary_size, bytes_each):
    largest = vocabulary_size - 1
    build(tmp_path / "c", [([largest], [largest])], vocabulary_size=vocabulary_size)
    ids = np.load(tmp_path / "c" / "source_ids.npy", mmap_mode="r", allow_pickle=False)
    assert ids.itemsize == bytes_each
    assert TokenizedCorpus(tmp_path / "c").source(0).tolist() == [largest, 3]


@pytest.mark.parametrize(("max_length", "bytes_each"), [(65_535, 2), (65_536, 4)])
def test_lengths_take_the_bytes_that_they_need(tmp_path, max_length, bytes_each):
    corpus = build(tmp_path / "c", [([5] * (max_length - 1), [6])], max_length=max_length)
    assert corpus.source_lengths.itemsize == bytes_each
    assert corpus.source_lengths.tolist() == [max_length]


def test_ids_outside_the_vocabulary_are_refused(tmp_path):
    with pytest.raises(ValueError, match="vocabulary_size=1000.*3 to 1000 on the target side"):
        build(tmp_path / "c", [([5], [1000])])
    assert list(tmp_path.iterdir()) == []


def test_long_pairs_are_an_error_that_counts_them(tmp_path):
    expected = "at most 4 tokens.*2 pairs with more, the longest of 10, the first on line 2"
    with pytest.raises(InputError, match=expected):
        build(tmp_path / "c", PAIRS, max_length=4)
    assert list(tmp_path.iterdir()) == []


def test_long_pairs_are_dropped_and_counted(tmp_path):
    corpus = build(tmp_path / "c", PAIRS, max_length=4, on_long="drop", line_numbers=[2, 4, 6, 8])
    assert len(corpus) == 2
    assert corpus.source(1).tolist() == [5, 5, 5, 3]
    assert corpus.line_numbers.tolist() == [2, 8]
    assert corpus.long_pairs == (2, (4, 6))
    assert TokenizedCorpus(tmp_path / "c").long_pairs == corpus.long_pairs


def test_uneven_pairs_are_counted_and_kept_or_dropped(tmp_path):
    # With the end tokens: 2 and 2, 5 and 2, 2 and 10, 4 and 4.
    for ratio, lines in ((5, ()), (4.9, (3,)), (2.5, (3,)), (2.4, (2, 3))):
        kept = build(tmp_path / f"{ratio}-kept", PAIRS, max_length_ratio=ratio)
        assert (len(kept), kept.uneven_pairs) == (4, (len(lines), lines))
        left = build(tmp_path / f"{ratio}", PAIRS, max_length_ratio=ratio, on_uneven="drop")
        assert left.uneven_pairs == TokenizedCorpus(tmp_path / f"{ratio}").uneven_pairs
        assert left.uneven_pairs == (len(lines), lines)
        assert left.line_numbers.tolist() == [line for line in range(1, 5) if line not in lines]


def test_what_is_dropped_as_uneven_is_no_error_of_length(tmp_path):
    corpus = build(tmp_path / "c", PAIRS, max_length=4, max_length_ratio=2, on_uneven="drop")
    assert corpus.line_numbers.tolist() == [1, 4]
    assert corpus.long_pairs.count == 0


SIDE = st.lists(st.just(5), max_size=12)


@given(st.lists(st.tuples(SIDE, SIDE), min_size=1, max_size=60), st.floats(1, 13))
def test_limits_leave_out_what_is_beyond_them_and_nothing_else(tmp_path_factory, pairs, ratio):
    def lengths(pair):
        return sorted(len(side) + 1 for side in pair)

    uneven = [i for i, pair in enumerate(pairs, 1) if lengths(pair)[1] > ratio * lengths(pair)[0]]
    long = [i for i, pair in enumerate(pairs, 1) if lengths(pair)[1] > 9 and i not in uneven]
    kept = [i for i in range(1, len(pairs) + 1) if i not in (*uneven, *long)]
    directory = tmp_path_factory.mktemp("corpus") / "c"
    options = {"max_length": 9, "on_long": "drop", "on_uneven": "drop"}
    if not kept:
        with pytest.raises(InputError, match="at least one pair"):
            build(directory, pairs, max_length_ratio=ratio, **options)
        return
    corpus = build(directory, pairs, max_length_ratio=ratio, **options)
    assert corpus.line_numbers.tolist() == kept
    assert corpus.uneven_pairs == (len(uneven), tuple(uneven[:5]))
    assert corpus.long_pairs == (len(long), tuple(long[:5]))
    for index, line in enumerate(kept):
        assert corpus.target(index).tolist() == pairs[line - 1][1]


@pytest.mark.parametrize("pairs", [[], [([5] * 9, [6])]])
def test_a_corpus_without_pairs_is_refused(tmp_path, pairs):
    with pytest.raises(InputError, match="at least one pair"):
        build(tmp_path / "c", pairs, max_length=4, on_long="drop")
    assert list(tmp_path.iterdir()) == []


def test_what_is_there_is_not_overwritten(tmp_path):
    build(tmp_path / "c", PAIRS)
    with pytest.raises(InputError, match="empty directory"):
        build(tmp_path / "c", PAIRS)


def test_an_interrupted_build_leaves_nothing(tmp_path):
    def pairs():
        yield [5], [6]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build(tmp_path / "c", pairs())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        ({"on_long": "cut"}, "`on_long` must be 'error' or 'drop'. Received: 'cut'"),
        ({"on_uneven": "error"}, "`on_uneven` must be 'keep' or 'drop'. Received: 'error'"),
    ],
)
def test_unknown_policies(tmp_path, choice, message):
    with pytest.raises(ValueError, match=message):
        build(tmp_path / "c", PAIRS, **choice)
