"""The batches of one epoch, made pool by pool when they are asked for."""

from bisect import bisect_right
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np


class _Pool(NamedTuple):
    """The batches of a pool: batch k is `indices[starts[k] : stops[k]]`."""

    number: int
    indices: np.ndarray
    starts: np.ndarray
    stops: np.ndarray


class EpochBatches(Sequence):
    """A sequence of int64 arrays `(rows,)` of indices into the corpus.

    Item k is the same whenever it is read. The pool of the last item stays in memory, so it is
    quick to read items in their order and slow to jump.

    Args:
        plan: the `BatchPlan`, which tells how an epoch is made.
        epoch: integer of at least 0.
    """

    def __init__(self, plan, epoch: int) -> None:
        self.plan = plan
        self.epoch = epoch
        count = len(plan.source_lengths)
        pools = max(-(-count // plan.shuffled_pairs), 1)
        # Whole groups, so that only the last batch of the epoch has fewer pairs.
        groups = -(-count // (pools * plan.group_pairs))
        self._pool_pairs = max(groups, 1) * plan.group_pairs
        pools = max(-(-count // self._pool_pairs), 1)
        self._blocks = self._shuffled_blocks(pools)
        self._pool: _Pool | None = None
        batches = [self._count(number) for number in range(pools)]
        self._starts = np.cumsum([0, *batches]).tolist()

    def __len__(self) -> int:
        return self._starts[-1]

    def __getitem__(self, index: int) -> np.ndarray:
        if not 0 <= index < len(self):
            raise IndexError(f"Epoch {self.epoch} has {len(self)} batches. Received: {index}")
        number = bisect_right(self._starts, index) - 1
        pool = self._made(number)
        index -= self._starts[number]
        return pool.indices[pool.starts[index] : pool.stops[index]]

    def _count(self, number: int) -> int:
        if self.plan.batch_size is None:
            return len(self._made(number).starts)
        pairs = min(self._pool_pairs, len(self.plan.source_lengths) - number * self._pool_pairs)
        return -(-pairs // self.plan.batch_size)

    def _made(self, number: int) -> _Pool:
        if self._pool is None or self._pool.number != number:
            self._pool = self._make(number)
        return self._pool

    def _make(self, number: int) -> _Pool:
        plan, indices = self.plan, self._pairs(number)
        bits = _bits(plan.seed, self.epoch, number)
        group = plan.group_pairs if plan.shuffle else max(len(indices), 1)
        if plan.shuffle:
            indices = indices[_permutation(bits, len(indices))]
        stops = []
        for start in range(0, len(indices), group):
            part = indices[start : start + group]
            # A stable sort leaves pairs of equal lengths in their shuffled order.
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
        """The pairs of a pool, block by block."""
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
        """First pair of each block in their new order, and how many pairs stand before it."""
        plan, count = self.plan, len(self.plan.source_lengths)
        firsts = np.arange(0, count, plan.block_pairs)
        if plan.shuffle and pools > 1:
            # No pool has this number.
            firsts = firsts[_permutation(_bits(plan.seed, self.epoch, pools), len(firsts))]
        sizes = np.minimum(plan.block_pairs, count - firsts)
        return firsts, np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)

    def _stops(self, indices: np.ndarray) -> np.ndarray:
        """Where each batch of sorted pairs ends."""
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


def _bits(*numbers: int) -> np.random.PCG64:
    return np.random.PCG64(np.random.SeedSequence(numbers))


def _permutation(bits: np.random.PCG64, count: int) -> np.ndarray:
    return np.argsort(bits.random_raw(count), kind="stable")
