"""Batch plan: shuffling and length bucketing, determined by (seed, epoch, index).

`BatchPlan` divides a corpus into batches of similar lengths, `EpochBatches` is the sequence of the
batches of an epoch. Both hold indices; `Batches` (`batches.py`) turns them into padded arrays.
"""

from bisect import bisect_right
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

_SIZES = ("pool_batches", "length_multiple", "shuffled_pairs", "block_pairs")
_CHUNK = 1 << 20


class BatchSizes(NamedTuple):
    """Sizes of the batches of an epoch.

    Attributes:
        rows: int64 array `(batches,)`, rows of each batch: its pairs, and with `few_shapes` rows
            of padding.
        widths: int64 array `(batches, 2)`, padded source length and padded target length.
        tokens: int64 array `(batches, 2)`, number of source and target tokens, without padding.
    """

    rows: np.ndarray
    widths: np.ndarray
    tokens: np.ndarray


class BatchPlan:
    """Divides a corpus into batches of similar lengths, anew for every epoch (length bucketing).

    An epoch is determined by (seed, epoch) alone: the pairs are shuffled and taken in groups of
    `pool_batches` batches; each group is sorted by (target length, source length) and cut into
    batches; the batches are shuffled. So every pair comes once in an epoch, there is little
    padding, and an interrupted run finds the same batches again. Only integer operations on the
    raw bits of a generator are used, whose stream NumPy guarantees, so the plan does not depend on
    the process, the machine or the version of NumPy.

    A corpus of more than `shuffled_pairs` pairs is cut into blocks of consecutive pairs. The blocks
    are shuffled and divided into pools, and each pool is shuffled, sorted and cut when it is first
    needed. So memory holds a few bytes for each pair of one pool.

    Consecutive batches never have the same source or target width: where they would, the later one
    is padded by one more step. Otherwise `keras.Model.fit` on TensorFlow, when it is given
    `Batches` directly, would take a dimension that the first two batches have in common for a
    constant, and fail at the first batch that differs. (Dropout masks depend on the widths: without
    this rule, the same seed would give other weights.) With `few_shapes`, widths may be the same.

    Args:
        source_lengths: integers `(pairs,)`, tokens of each source with its end token; a
            memory-mapped array stays on disk.
        target_lengths: integers `(pairs,)`, tokens of each target with its end token.
        batch_size: pairs in a batch. One batch of an epoch may have fewer; the number of batches is
            the same in every epoch. Give either this or `tokens_per_batch`.
        tokens_per_batch: maximum number of positions in a batch: its pairs times the greater of its
            widths (a longer pair is a batch of its own). The number of batches may differ a
            little between epochs.
        seed: integer of at least 0.
        shuffle: False for the same order in every epoch: by length in each pool.
        pool_batches: batches that are sorted together. More means less padding and less random
            batches.
        length_multiple: widths are rounded up to a multiple of this. It has no influence on which
            pairs are in which batch.
        few_shapes: for backends that compile each shape (JAX): also round the rows up, to
            `batch_size`, or with `tokens_per_batch` to 4, 5, 6 or 7 times a power of two.
        shuffled_pairs: approximate number of pairs in a pool.
        block_pairs: consecutive pairs that stay in the same pool, if there are several pools.

    Raises:
        ValueError: the lengths are not vectors of the same length, a size is below 1, or not
            exactly one of `batch_size` and `tokens_per_batch` is given.

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
        few_shapes: bool = False,
        shuffled_pairs: int = 1 << 21,
        block_pairs: int = 1 << 12,
    ) -> None:
        self.source_lengths = np.asarray(source_lengths)
        self.target_lengths = np.asarray(target_lengths)
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
        self.few_shapes = few_shapes
        self.shuffled_pairs = shuffled_pairs
        self.block_pairs = block_pairs
        for name in ("batch_size", "tokens_per_batch", *_SIZES):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ValueError(f"Argument `{name}` must be at least 1. Received: {value}")
        self.seed = seed
        self.shuffle = shuffle
        self.group_pairs = self._group_pairs()
        # A cache of one epoch, because it is often asked for twice.
        self._epoch: EpochBatches | None = None

    def _group_pairs(self) -> int:
        """Number of pairs that are sorted together."""
        if self.batch_size is not None:
            return self.pool_batches * self.batch_size
        count, positions = len(self.source_lengths), 0
        for start in range(0, count, _CHUNK):
            chunk = slice(start, start + _CHUNK)
            longer = np.maximum(self.source_lengths[chunk], self.target_lengths[chunk])
            positions += int(longer.sum(dtype=np.int64))
        # In integers, so that it is the same on every machine.
        rows = self.tokens_per_batch * count // max(positions, 1)
        return self.pool_batches * max(rows, 1)

    def batches(self, epoch: int) -> "EpochBatches":
        """Returns the `EpochBatches` of an epoch, which are computed when they are read.

        Args:
            epoch: integer of at least 0.
        """
        if self._epoch is None or self._epoch.epoch != epoch:
            self._epoch = EpochBatches(self, epoch)
        return self._epoch

    def sizes(self, batches: Sequence[np.ndarray]) -> BatchSizes:
        """Returns the sizes of the batches of an epoch. It reads all of them.

        Args:
            batches: the `EpochBatches`.
        """
        rows = np.zeros(len(batches), dtype=np.int64)
        widths, tokens = (np.zeros((len(batches), 2), dtype=np.int64) for _ in range(2))
        for index, indices in enumerate(batches):
            rows[index] = len(indices)
            for side, lengths in enumerate((self.source_lengths, self.target_lengths)):
                values = lengths[indices]
                widths[index, side] = values.max()
                tokens[index, side] = values.sum(dtype=np.int64)
        widths += -widths % self.length_multiple
        if self.few_shapes:
            return BatchSizes(self._rounded_rows(rows), widths, tokens)
        for side in range(2):
            widths[:, side] = _unequal_neighbours(widths[:, side].tolist(), self.length_multiple)
        return BatchSizes(rows, widths, tokens)

    def _rounded_rows(self, rows: np.ndarray) -> np.ndarray:
        if self.batch_size is not None:
            return np.full_like(rows, self.batch_size)
        steps = [1 << max(int(count).bit_length() - 3, 0) for count in rows]
        return rows + -rows % np.array(steps, dtype=np.int64)


def _unequal_neighbours(widths: list[int], step: int) -> list[int]:
    for index in range(1, len(widths)):
        widths[index] += step * (widths[index] == widths[index - 1])
    return widths


class EpochBatches(Sequence):
    """The batches of an epoch: a sequence of int64 arrays `(rows,)`, indices into the corpus.

    Item k is the same whenever it is read. The pool of the last item stays in memory, so sequential
    access is fast, and random access slow.

    Args:
        plan: the `BatchPlan`.
        epoch: integer of at least 0.
    """

    def __init__(self, plan: BatchPlan, epoch: int) -> None:
        self.plan = plan
        self.epoch = epoch
        count = len(plan.source_lengths)
        pools = max(-(-count // plan.shuffled_pairs), 1)
        # Whole groups in each pool, so that only the last batch of the epoch has fewer pairs.
        groups = -(-count // (pools * plan.group_pairs))
        self._pool_pairs = max(groups, 1) * plan.group_pairs
        pools = max(-(-count // self._pool_pairs), 1)
        self._blocks = self._shuffled_blocks(pools)
        self._pool: _Pool | None = None
        batches = [self._count_batches(number) for number in range(pools)]
        self._starts = np.cumsum([0, *batches]).tolist()

    def __len__(self) -> int:
        return self._starts[-1]

    def __getitem__(self, index: int) -> np.ndarray:
        if not 0 <= index < len(self):
            raise IndexError(f"Epoch {self.epoch} has {len(self)} batches. Received: {index}")
        number = bisect_right(self._starts, index) - 1
        pool = self._cached_pool(number)
        index -= self._starts[number]
        return pool.indices[pool.starts[index] : pool.stops[index]]

    def _count_batches(self, number: int) -> int:
        if self.plan.batch_size is None:
            return len(self._cached_pool(number).starts)
        pairs = min(self._pool_pairs, len(self.plan.source_lengths) - number * self._pool_pairs)
        return -(-pairs // self.plan.batch_size)

    def _cached_pool(self, number: int) -> "_Pool":
        if self._pool is None or self._pool.number != number:
            self._pool = self._make_pool(number)
        return self._pool

    def _make_pool(self, number: int) -> "_Pool":
        plan, indices = self.plan, self._pairs(number)
        bits = _bits(plan.seed, self.epoch, number)
        group = plan.group_pairs if plan.shuffle else max(len(indices), 1)
        if plan.shuffle:
            indices = indices[_permutation(bits, len(indices))]
        stops = []
        for start in range(0, len(indices), group):
            part = indices[start : start + group]
            # A stable sort keeps pairs of equal lengths in their shuffled order.
            keys = plan.source_lengths[part], plan.target_lengths[part]
            part[:] = part[np.lexsort(keys)]
            stops.append(start + self._stops(part))
        stops = np.concatenate([np.zeros(0, dtype=np.int64), *stops])
        starts = np.concatenate([[0], stops[:-1]]).astype(np.int64) if len(stops) else stops
        if plan.shuffle:
            order = _permutation(bits, len(stops))
            starts, stops = starts[order], stops[order]
        return _Pool(number, indices, starts, stops)

    def _pairs(self, number: int) -> np.ndarray:
        """Indices of the pairs of a pool, block by block."""
        firsts, places = self._blocks
        low = number * self._pool_pairs
        high = min(low + self._pool_pairs, int(places[-1]))
        parts = [np.zeros(0, dtype=np.int64)]
        for block in range(int(np.searchsorted(places, low, "right")) - 1, len(firsts)):
            if places[block] >= high:
                break
            shift = firsts[block] - places[block]
            first, last = max(low, places[block]), min(high, places[block + 1])
            parts.append(np.arange(first + shift, last + shift))
        return np.concatenate(parts)

    def _shuffled_blocks(self, pools: int) -> tuple[np.ndarray, np.ndarray]:
        """The first pair of each block in the new order, and the number of pairs before it."""
        plan, count = self.plan, len(self.plan.source_lengths)
        firsts = np.arange(0, count, plan.block_pairs)
        if plan.shuffle and pools > 1:
            # No pool has this number.
            firsts = firsts[_permutation(_bits(plan.seed, self.epoch, pools), len(firsts))]
        sizes = np.minimum(plan.block_pairs, count - firsts)
        return firsts, np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)

    def _stops(self, indices: np.ndarray) -> np.ndarray:
        """The ends of the batches of sorted pairs."""
        plan = self.plan
        if plan.batch_size is not None:
            stops = np.arange(plan.batch_size, len(indices) + plan.batch_size, plan.batch_size)
            return np.minimum(stops, len(indices))
        longer = np.maximum(plan.source_lengths[indices], plan.target_lengths[indices])
        stops, start, width = [], 0, 0
        for stop, length in enumerate(longer.tolist()):
            width = max(width, length)
            if stop > start and (stop + 1 - start) * width > plan.tokens_per_batch:
                stops.append(stop)
                start, width = stop, length
        return np.array([*stops, len(indices)])


class _Pool(NamedTuple):
    """A pool of batches: batch k is `indices[starts[k] : stops[k]]`."""

    number: int
    indices: np.ndarray
    starts: np.ndarray
    stops: np.ndarray


def _bits(*numbers: int) -> np.random.PCG64:
    return np.random.PCG64(np.random.SeedSequence(numbers))


def _permutation(bits: np.random.PCG64, count: int) -> np.ndarray:
    return np.argsort(bits.random_raw(count), kind="stable")
