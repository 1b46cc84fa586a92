import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_bahdanau.errors import InputError
from keras_bahdanau.training.data.corpus_writer import build_corpus
from keras_bahdanau.training.data.tokenized_corpus import TokenizedCorpus

SIDE = st.lists(st.integers(4, 69_999), max_size=6)


def build(directory, pairs, **options):
    options = {"end_id": 3, "max_length": 128, "vocabulary_size": 70_000, **options}
    return build_corpus(directory, pairs, **options)


@given(pairs=st.lists(st.tuples(SIDE, SIDE), min_size=1))
def test_every_pair_comes_back(tmp_path_factory, pairs):
    directory = tmp_path_factory.mktemp("corpus") / "tokens"
    build(directory, iter(pairs))
    corpus = TokenizedCorpus(directory)
    assert len(corpus) == len(pairs)
    for index, (source, target) in enumerate(pairs):
        assert corpus.source(index).tolist() == [*source, 3]
        assert corpus.target(index).tolist() == target
        assert corpus.source(index).dtype == corpus.target(index).dtype == np.int32
    assert corpus.source_lengths.tolist() == [len(source) + 1 for source, _ in pairs]
    assert corpus.target_lengths.tolist() == [len(target) + 1 for _, target in pairs]


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    """More pairs than have one known start, and more than are written at once."""
    numbers = np.random.default_rng(0)
    pairs = [
        tuple(numbers.integers(4, 1000, numbers.integers(0, 9)).tolist() for _ in range(2))
        for _ in range(2500)
    ]
    return pairs, build(tmp_path_factory.mktemp("corpus") / "tokens", pairs)


def test_any_rows_can_be_read_at_once(many):
    pairs, corpus = many
    for seed in range(20):
        numbers = np.random.default_rng(seed)
        indices = numbers.integers(0, len(pairs), numbers.integers(1, 40))
        width = 10 + seed % 3
        for side, name in enumerate(("source", "target")):
            rows = corpus.padded(name, indices, width, pad_id=1)
            assert rows.dtype == np.int32
            ids = [[*pairs[index][side], 3] for index in indices]
            assert rows.tolist() == [row + [1] * (width - len(row)) for row in ids]


def test_the_first_and_the_last_pair_of_every_block(many):
    pairs, corpus = many
    indices = np.array([0, 63, 64, 127, 128, len(pairs) - 1])
    rows = corpus.padded("source", indices, 10)
    assert [row[row != 0].tolist() for row in rows] == [[*pairs[i][0], 3] for i in indices]


def test_nothing_of_a_pair_is_in_memory(many):
    _, corpus = many
    arrays = [corpus.source_lengths, corpus.target_lengths, corpus.line_numbers]
    assert all(isinstance(array, np.memmap) for array in arrays)
    assert [array.itemsize for array in arrays] == [2, 2, 4]


@pytest.mark.parametrize("damage", ["absent", "format", "offsets", "lengths", "pickle"])
def test_a_damaged_corpus_is_refused(tmp_path, damage):
    directory = tmp_path / "c"
    build(directory, [([5], [6]), ([5] * 4, [6])])
    if damage == "absent":
        (directory / "target_ids.npy").unlink()
    elif damage == "format":
        facts = json.loads((directory / "corpus.json").read_text())
        (directory / "corpus.json").write_text(json.dumps({**facts, "format": 1}))
    elif damage in ("offsets", "lengths"):
        np.save(directory / f"source_{damage}.npy", np.arange(3))
    else:
        np.save(directory / "source_ids.npy", np.array([{}]), allow_pickle=True)
    with pytest.raises(InputError, match="Expected a tokenized corpus"):
        TokenizedCorpus(directory)
