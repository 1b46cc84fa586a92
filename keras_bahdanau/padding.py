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


def by_length(
    lengths: Sequence[int], batch_size: int, max_tokens: int | None = None
) -> list[np.ndarray]:
    """Batches of indices, longest first, so that each batch holds sequences of like lengths.

    Args:
        lengths: the length of each sequence.
        batch_size: sequences in a batch, at most.
        max_tokens: tokens in a batch at most, padding included; a longer sequence is alone.
    """
    if batch_size < 1:
        raise ValueError(f"Expected a batch_size of at least 1. Received: {batch_size}")
    order = np.argsort(-np.asarray(lengths, dtype="int64"), kind="stable")
    batches, start = [], 0
    while start < len(order):
        rows = batch_size
        if max_tokens is not None:
            rows = min(rows, max(max_tokens // max(lengths[order[start]], 1), 1))
        batches.append(order[start : start + rows])
        start += rows
    return batches
