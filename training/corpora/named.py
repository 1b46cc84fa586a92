"""Corpora by name: the built-in one, and those that are downloaded."""

from keras_bahdanau.errors import InputError

from ..data.splits import Splits
from . import downloads
from .built_in import SPLITS, built_in_corpus
from .parallel_text import ParallelFiles

BUILT_IN = "built-in"
CORPUS_NAMES = (BUILT_IN, *downloads.NAMES)


def named_splits(name: str) -> Splits:
    """Returns the pairs of the built-in corpus, or of one that is downloaded and cached.

    Args:
        name: `"built-in"` (English to Spanish), `"multi30k-en-de"` or `"multi30k-en-fr"`.

    Raises:
        InputError: there is no such corpus, or it cannot be downloaded.

    Example:

    >>> len(named_splits("built-in").validation)
    1000
    """
    if name == BUILT_IN:
        corpus = built_in_corpus()
        return Splits(*([(pair.source, pair.target) for pair in corpus[part]] for part in SPLITS))
    if name not in CORPUS_NAMES:
        raise InputError(f"Expected a corpus among {', '.join(CORPUS_NAMES)}. Received: {name}")
    files = downloads.download(name)
    return Splits(
        ParallelFiles(files.source_train, files.target_train),
        list(ParallelFiles(files.source_validation, files.target_validation)),
        list(ParallelFiles(files.source_test, files.target_test)),
    )
