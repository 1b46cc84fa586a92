import pytest

from keras_bahdanau.errors import InputError
from keras_bahdanau.training.corpora.named import BUILT_IN, named_splits


def test_the_built_in_corpus_comes_as_pairs_of_texts():
    splits = named_splits(BUILT_IN)
    for pairs in splits:
        assert all(isinstance(text, str) and text for text in pairs[0])
    assert not set(splits.train) & set(splits.test)


def test_unknown_name_is_refused():
    with pytest.raises(InputError, match="Received: wmt"):
        named_splits("wmt")
