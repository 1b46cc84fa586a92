"""Seeded random choices that are the same on every Python version and platform."""

import random
from collections.abc import Sequence
from typing import TypeVar

Item = TypeVar("Item")


class Draw:
    """Choices from a seed.

    Only `random.Random.random` is used: it is the one method whose sequence Python promises to
    keep for a seed.
    """

    def __init__(self, seed: int):
        self._random = random.Random(seed).random

    def chance(self, probability: float) -> bool:
        """True with this probability."""
        return self._random() < probability

    def number(self, low: int, high: int) -> int:
        """An integer from `low` to `high`, both included."""
        return low + int(self._random() * (high - low + 1))

    def one(self, items: Sequence[Item]) -> Item:
        """One of the items, each as likely as the others."""
        return items[self.number(0, len(items) - 1)]

    def weighted(self, items: Sequence[tuple[Item, float]]) -> Item:
        """One of the items of `(item, weight)` pairs."""
        total = 0.0
        for _, weight in items:
            # Not `sum`: it rounds differently from Python 3.12 on.
            total += weight
        point = self._random() * total
        for item, weight in items:
            point -= weight
            if point < 0:
                return item
        return items[-1][0]

    def shuffled(self, items: Sequence[Item]) -> list[Item]:
        """A new list in random order (Fisher-Yates)."""
        result = list(items)
        for last in range(len(result) - 1, 0, -1):
            other = self.number(0, last)
            result[last], result[other] = result[other], result[last]
        return result
