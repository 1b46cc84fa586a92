"""Which pairs go into which batch of which epoch, as a pure function."""

import numpy as np


class BatchPlan:
    """Divides a corpus into batches of similar lengths, anew for every epoch.

    An epoch is made from (seed, epoch) alone: the pairs are shuffled, taken in pools of
    `pool_batches` batches, sorted by (target length, source length) inside their pool, cut into
    batches, and the batches are shuffled. So every pair comes once an epoch, padding is small,
    and a run that is interrupted finds the same batches again. Only integer operations on the raw
    bits of a generator are used, whose stream NumPy guarantees, so the plan does not depend on
    the process, the machine or the version of NumPy.

    Neighbouring batches never have equal widths: where they would, the later one is padded by one
    more step. `keras.Model.fit` on TensorFlow takes a dimension that the first two batches share
    for a constant and then fails at the first batch that differs, wherever an epoch is entered.

    Args:
        source_lengths: integers `(pairs,)`, tokens of each source with its end token.
        target_lengths: integers `(pairs,)`, tokens of each target with its end token.
        batch_size: pairs a batch. The last batch of an epoch may have fewer, and the number of
            batches is the same in every epoch. Give either this or `tokens_per_batch`.
        tokens_per_batch: most positions a batch, which are its pairs times the greater of its
            widths (a pair longer than that stands alone). The number of batches may differ a
            little from epoch to epoch.
        seed: integer of at least 0.
        shuffle: False for one order by length that is the same in every epoch, for evaluation.
        pool_batches: how many batches are sorted together. More means less padding and batches
            that are less mixed.
        length_multiple: widths are rounded up to a multiple of this. More than 1 gives fewer
            distinct shapes, which matters to backends that compile each shape (JAX).

    Example:

    >>> plan = BatchPlan([3, 9, 4, 8], [4, 8, 4, 9], batch_size=2)
    >>> sorted(len(indices) for indices in plan.batches(epoch=0))
    [2, 2]
    """

    def __init__(
        self,
        source_lengths: np.ndarray,
        target_lengths: np.ndarray,
        *,
        batch_size: int | None = None,
        tokens_per_batch: int | None = None,
        seed: int = 0,
        shuffle: bool = True,
        pool_batches: int = 64,
        length_multiple: int = 1,
    ) -> None:
        self.source_lengths = np.asarray(source_lengths, dtype=np.int64)
        self.target_lengths = np.asarray(target_lengths, dtype=np.int64)
        if self.source_lengths.ndim != 1 or self.source_lengths.shape != self.target_lengths.shape:
            raise ValueError(
                "`source_lengths` and `target_lengths` must be vectors of the same length. "
                f"Received: shapes {self.source_lengths.shape} and {self.target_lengths.shape}"
            )
        if (batch_size is None) == (tokens_per_batch is None):
            raise ValueError(
                "Exactly one of `batch_size` and `tokens_per_batch` must be given. "
                f"Received: batch_size={batch_size}, tokens_per_batch={tokens_per_batch}"
            )
        self.batch_size = batch_size
        self.tokens_per_batch = tokens_per_batch
        self.pool_batches = pool_batches
        self.length_multiple = length_multiple
        for name in ("batch_size", "tokens_per_batch", "pool_batches", "length_multiple"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ValueError(f"Argument `{name}` must be at least 1. Received: {value}")
        self.seed = seed
        self.shuffle = shuffle

    def batches(self, epoch: int) -> list[np.ndarray]:
        """Returns the batches of an epoch.

        Args:
            epoch: integer of at least 0.

        Returns:
            List of int64 arrays `(rows,)` of indices into the corpus.
        """
        count = len(self.source_lengths)
        if not self.shuffle:
            return self._cut(self._by_length(np.arange(count)))
        bits = np.random.PCG64(np.random.SeedSequence([self.seed, epoch]))
        order = _permutation(bits, count)
        size = self._pool_size()
        batches = []
        for start in range(0, count, size):
            batches += self._cut(self._by_length(order[start : start + size]))
        return [batches[index] for index in _permutation(bits, len(batches))]

    def widths(self, batches: list[np.ndarray]) -> np.ndarray:
        """Returns the padded lengths of the batches of an epoch.

        Args:
            batches: what `batches` returned, the whole list.

        Returns:
            int64 array `(batches, 2)`: source width and target width of each batch.
        """
        widths = np.zeros((len(batches), 2), dtype=np.int64)
        for index, indices in enumerate(batches):
            widths[index] = self.source_lengths[indices].max(), self.target_lengths[indices].max()
        widths += -widths % self.length_multiple
        for index in range(1, len(widths)):
            widths[index] += self.length_multiple * (widths[index] == widths[index - 1])
        return widths

    def _pool_size(self) -> int:
        if self.batch_size is not None:
            return self.pool_batches * self.batch_size
        positions = int(np.maximum(self.source_lengths, self.target_lengths).sum())
        # In integers, so that it is the same everywhere.
        rows = self.tokens_per_batch * len(self.source_lengths) // max(positions, 1)
        return self.pool_batches * max(rows, 1)

    def _by_length(self, indices: np.ndarray) -> np.ndarray:
        # A stable sort leaves pairs of equal lengths in their shuffled order.
        keys = self.source_lengths[indices], self.target_lengths[indices]
        return indices[np.lexsort(keys)]

    def _cut(self, indices: np.ndarray) -> list[np.ndarray]:
        if self.batch_size is not None:
            return [
                indices[start : start + self.batch_size]
                for start in range(0, len(indices), self.batch_size)
            ]
        batches, start, width = [], 0, 0
        lengths = np.maximum(self.source_lengths[indices], self.target_lengths[indices]).tolist()
        for stop, length in enumerate(lengths):
            width = max(width, length)
            if stop > start and (stop + 1 - start) * width > self.tokens_per_batch:
                batches.append(indices[start:stop])
                start, width = stop, length
        return [*batches, indices[start:]] if len(indices) else batches


def _permutation(bits: np.random.PCG64, count: int) -> np.ndarray:
    return np.argsort(bits.random_raw(count), kind="stable")
