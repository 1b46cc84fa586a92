"""Sequences of different lengths as batches."""

from collections.abc import Sequence

import numpy as np

from keras_bahdanau.text.tokenizer import PAD_ID


def pad_ids(sequences: Sequence[Sequence[int]], length: int | None = None) -> np.ndarray:
    """An int32 array of shape `(len(sequences), length)`, padded on the right.

    `length` is that of the longest sequence unless given, and at least 1.
    """
    longest = max((len(sequence) for sequence in sequences), default=0)
    padded = np.full((len(sequences), max(length or longest, 1)), PAD_ID, dtype="int32")
    for row, sequence in zip(padded, sequences, strict=True):
        row[: len(sequence)] = sequence
    return padded


def by_length(lengths: Sequence[int], batch_size: int) -> list[np.ndarray]:
    """Batches of indices, longest first, so that each batch holds sequences of like lengths."""
    order = np.argsort(-np.asarray(lengths, dtype="int64"), kind="stable")
    return [order[start : start + batch_size] for start in range(0, len(order), batch_size)]
