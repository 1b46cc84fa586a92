"""Pairs of token ids and the batches they stand in: one file, read by every program here.

It needs NumPy alone, because each program runs in an environment of its own.
"""

import numpy as np

PAD_ID, UNKNOWN_ID, START_ID, END_ID = 0, 1, 2, 3
ORDERS = ("random", "bucketed")


class TokenBatches:
    """What `prepare.py` wrote.

    Args:
        path: the `.npz` file.
        order: `"random"` (pairs as they come) or `"bucketed"` (pairs of similar lengths together).

    Attributes:
        vocabulary_size: ids are below it.
        batches_per_epoch: number of batches of each epoch.
        validation_sources: list of lists of ids, the end token last.
    """

    def __init__(self, path, order):
        with np.load(path) as arrays:
            self.vocabulary_size = int(arrays["vocabulary_size"])
            self._batches = arrays[order]
            self._sources, self._targets, self.validation_sources = (
                _rows(arrays[f"{name}_ids"], arrays[f"{name}_offsets"])
                for name in ("source", "target", "validation_source")
            )
        self.batches_per_epoch = self._batches.shape[1]

    def rows(self, number):
        """Indices of the pairs of a batch, an array; after the last epoch the first one follows."""
        epoch, index = divmod(number, self.batches_per_epoch)
        return self._batches[epoch % len(self._batches), index]

    def batch(self, number):
        """Ids of a batch.

        Args:
            number: integer of at least 0; it counts on over the epochs.

        Returns:
            `(sources, targets)`: lists of lists of ids; the end token is the last of each.
        """
        rows = self.rows(number)
        return [self._sources[row] for row in rows], [self._targets[row] for row in rows]

    def pairs(self):
        """All pairs, in the order that `rows` counts in: lists of lists of ids as in `batch`."""
        return list(zip(self._sources, self._targets, strict=True))


def padded(rows, dtype="int32"):
    """Array `(len(rows), longest)` of rows of ids, with `PAD_ID` after their ends."""
    array = np.full((len(rows), max(map(len, rows))), PAD_ID, dtype=dtype)
    for index, row in enumerate(rows):
        array[index, : len(row)] = row
    return array


def shifted(targets):
    """The start token and all of each target but its end token: what a decoder is fed with."""
    return [[START_ID, *target[:-1]] for target in targets]


def flattened(rows):
    """Ids of all rows in one array, and the offsets at which they start."""
    ids = np.array([token_id for row in rows for token_id in row], dtype=np.int32)
    return ids, np.cumsum([0, *map(len, rows)], dtype=np.int64)


def _rows(ids, offsets):
    ids = ids.tolist()
    return [ids[start:stop] for start, stop in zip(offsets[:-1], offsets[1:], strict=True)]
