import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_bahdanau.errors import InputError
from keras_bahdanau.training.dataset import TokenizedCorpus

SIDE = st.lists(st.integers(4, 69_999), max_size=6)


def build(directory, pairs, **options):
    options = {"end_id": 3, "max_length": 128, "vocabulary_size": 1000, **options}
    return TokenizedCorpus.build(directory, pairs, **options)


@given(pairs=st.lists(st.tuples(SIDE, SIDE), min_size=1), vocabulary_size=st.just(70_000))
def test_every_pair_comes_back(tmp_path_factory, pairs, vocabulary_size):
    directory = tmp_path_factory.mktemp("corpus") / "tokens"
    build(directory, iter(pairs), vocabulary_size=vocabulary_size)
    corpus = TokenizedCorpus(directory)
    assert len(corpus) == len(pairs)
    for index, (source, target) in enumerate(pairs):
        assert corpus.source(index).tolist() == [*source, 3]
        assert corpus.target(index).tolist() == target
        assert corpus.source(index).dtype == corpus.target(index).dtype == np.int32
    assert corpus.source_lengths.tolist() == [len(source) + 1 for source, _ in pairs]
    assert corpus.target_lengths.tolist() == [len(target) + 1 for _, target in pairs]


@pytest.mark.parametrize(("vocabulary_size", "bytes_each"), [(65_536, 2), (65_537, 4)])
def test_ids_take_the_bytes_that_they_need_and_are_mapped(tmp_path, vocabulary_size, bytes_each):
    largest = vocabulary_size - 1
    build(tmp_path / "c", [([largest], [largest])], vocabulary_size=vocabulary_size)
    ids = np.load(tmp_path / "c" / "source_ids.npy", mmap_mode="r", allow_pickle=False)
    assert ids.itemsize == bytes_each
    assert TokenizedCorpus(tmp_path / "c").source(0).tolist() == [largest, 3]


def test_ids_outside_the_vocabulary_are_refused(tmp_path):
    with pytest.raises(ValueError, match="vocabulary_size=1000.*1000 to 1000 on the target side"):
        build(tmp_path / "c", [([5], [1000])])
    assert list(tmp_path.iterdir()) == []


PAIRS = [([5], [6]), ([5] * 4, [6]), ([5], [6] * 9), ([5] * 3, [6] * 3)]


def test_long_pairs_are_an_error_that_counts_them(tmp_path):
    expected = "at most 4 tokens.*2 pairs with more, the longest of 10, the first on line 2"
    with pytest.raises(InputError, match=expected):
        build(tmp_path / "c", PAIRS, max_length=4)
    assert list(tmp_path.iterdir()) == []


def test_long_pairs_are_dropped_and_counted(tmp_path):
    corpus = build(tmp_path / "c", PAIRS, max_length=4, on_long="drop", line_numbers=[2, 4, 6, 8])
    assert len(corpus) == 2
    assert corpus.source(1).tolist() == [5, 5, 5, 3]
    assert corpus.long_pairs == (4, 2, 10, 4)
    assert TokenizedCorpus(tmp_path / "c").long_pairs == corpus.long_pairs


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


@pytest.mark.parametrize("damage", ["absent", "format", "offsets", "pickle"])
def test_a_damaged_corpus_is_refused(tmp_path, damage):
    directory = tmp_path / "c"
    build(directory, PAIRS)
    if damage == "absent":
        (directory / "target_ids.npy").unlink()
    elif damage == "format":
        facts = json.loads((directory / "corpus.json").read_text())
        (directory / "corpus.json").write_text(json.dumps({**facts, "format": 2}))
    elif damage == "offsets":
        np.save(directory / "source_offsets.npy", np.arange(3))
    else:
        np.save(directory / "source_ids.npy", np.array([{}]), allow_pickle=True)
    with pytest.raises(InputError, match="Expected a tokenized corpus"):
        TokenizedCorpus(directory)


def test_unknown_policy_for_long_pairs(tmp_path):
    with pytest.raises(ValueError, match="'error' or 'drop'. Received: 'cut'"):
        build(tmp_path / "c", PAIRS, on_long="cut")
