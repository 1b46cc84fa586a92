"""Groups the pairs of a test set by source length, for `source_length.py`."""

from collections.abc import Sequence
from typing import NamedTuple


class Group(NamedTuple):
    """Texts of `first_words` to `last_words` source words, each `joined` lines of the test set."""

    joined: int
    first_words: int
    last_words: int
    mean_words: float
    pairs: list[tuple[str, str]]


def joined_pairs(pairs: Sequence[tuple[str, str]], count: int) -> list[tuple[str, str]]:
    """Joins every `count` consecutive pairs to one; drops an incomplete last one."""
    return [
        tuple(" ".join(texts) for texts in zip(*pairs[start : start + count], strict=True))
        for start in range(0, len(pairs) - count + 1, count)
    ]


def groups_by_length(
    pairs: Sequence[tuple[str, str]], *, joined: int = 1, width: int = 5, minimum: int = 50
) -> list[Group]:
    """Groups pairs by the number of source words, from short to long.

    Args:
        pairs: (source, reference) pairs.
        joined: how many lines of a test set each of them is made of.
        width: how many numbers of words a group spans, at least.
        minimum: how many pairs a group has, at least, unless there are fewer in all. What is left
            at the long end belongs to the last group.
    """
    by_words = {}
    for source, reference in pairs:
        by_words.setdefault(len(source.split()), []).append((source, reference))
    found, group = [], []
    for words in sorted(by_words):
        group += [(words, pair) for pair in by_words[words]]
        if len(group) >= minimum and words - group[0][0] + 1 >= width:
            found.append(group)
            group = []
    if group and len(group) < minimum and found:
        found[-1] += group
    elif group:
        found.append(group)
    return [
        Group(
            joined=joined,
            first_words=group[0][0],
            last_words=group[-1][0],
            mean_words=sum(words for words, _ in group) / len(group),
            pairs=[pair for _, pair in group],
        )
        for group in found
    ]
