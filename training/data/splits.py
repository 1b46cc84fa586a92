"""The training, validation and test pairs of a run."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from keras_bahdanau.errors import InputError

from ..corpora.parallel_text import ParallelFiles, TsvFile

Pairs = Sequence[tuple[str, str]]


class Splits(NamedTuple):
    """The pairs of (source, target) texts of a run.

    Attributes:
        train: the training pairs, which can be iterated over several times: a list, or
            `ParallelFiles` or a `TsvFile`, which read their files anew each time.
        validation: the pairs that choose the best weights, a list.
        test: the pairs that the result is reported on, a list; empty by default.
    """

    train: Iterable[tuple[str, str]]
    validation: Pairs
    test: Pairs = ()


def file_splits(files: dict) -> Splits:
    """Returns the pairs of the command's file options; validation and test files are read at once.

    Args:
        files: paths by option: for each of `train`, `validation` and `test` that name (a TSV file),
            or the name after `source_` and `target_` (two parallel files). `test` may be missing.

    Raises:
        InputError: a file is missing, malformed, or given in both ways.
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
