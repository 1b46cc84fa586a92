"""The training, validation and test pairs of a run, from wherever they come."""

from collections.abc import Iterable
from typing import NamedTuple

from keras_bahdanau.errors import InputError

from ..corpora import downloads
from ..corpora.built_in import built_in_corpus
from ..corpora.parallel_text import ParallelFiles, TsvFile

BUILT_IN = "built-in"
CORPUS_NAMES = (BUILT_IN, *downloads.NAMES)

Pairs = list[tuple[str, str]]


class Splits(NamedTuple):
    """Pairs of (source, target) texts.

    Attributes:
        train: the training pairs; iterating over them may read files, every time anew.
        validation: list of pairs.
        test: list of pairs, empty where there is no test set.
    """

    train: Iterable[tuple[str, str]]
    validation: Pairs
    test: Pairs


def named_splits(name: str) -> Splits:
    """The pairs of the built-in corpus or of one that is downloaded."""
    if name == BUILT_IN:
        corpus = built_in_corpus()
        return Splits(
            *([(pair.source, pair.target) for pair in corpus[split]] for split in Splits._fields)
        )
    if name not in CORPUS_NAMES:
        raise InputError(f"Expected a corpus among {', '.join(CORPUS_NAMES)}. Received: {name}")
    files = downloads.download(name)
    return Splits(
        ParallelFiles(files.source_train, files.target_train),
        list(ParallelFiles(files.source_validation, files.target_validation)),
        list(ParallelFiles(files.source_test, files.target_test)),
    )


def file_splits(files: dict) -> Splits:
    """The pairs of parallel files or TSV files. Validation and test files are read at once.

    Args:
        files: for each of `train`, `validation` and `test` the key itself (a TSV file), or
            `source_` and `target_` before it (two parallel files). `test` may be absent.

    Raises:
        InputError: a file is missing, wrong, or given in both ways.
    """
    train, validation, test = (_pairs(split, files) for split in Splits._fields)
    return Splits(train, list(validation), list(test))


def _pairs(split, files):
    tsv = files.get(split)
    parallel = [files.get(f"{side}_{split}") for side in ("source", "target")]
    if tsv and any(parallel):
        raise InputError(f"Expected --{split} or --source-{split}. Received: both")
    if tsv:
        return TsvFile(tsv)
    if all(parallel):
        return ParallelFiles(*parallel)
    if split == "test" and not any(parallel):
        return []
    missing = " and ".join(
        f"--{side}-{split}"
        for side, path in zip(("source", "target"), parallel, strict=True)
        if not path
    )
    raise InputError(
        f"Expected two parallel files (or one TSV file as --{split}). Received: no {missing}"
    )
