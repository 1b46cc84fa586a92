"""Generates the corpus: draws pairs from the grammar and splits them."""

from collections import Counter
from collections.abc import Sequence

from keras_bahdanau.training.corpora.built_in import AlignedPair, words

from . import (
    action_sentences,
    comparisons,
    descriptions,
    likes,
    locations,
    reasons,
    relatives,
    schedules,
    subordination,
)
from .draw import Draw

_SEED = 1409_0473
_PAIRS = 28_000
_HELD_OUT = 1_000
_LONGEST = 18
# Occurrences that the training pairs keep of each word of a held-out pair.
_SEEN = 5

FAMILIES = (
    (action_sentences.told, 30),
    (action_sentences.told_of_animals, 2),
    (action_sentences.asked_whether, 6),
    (action_sentences.asked_when_or_why, 4),
    (action_sentences.asked_what, 4),
    (action_sentences.asked_where, 3),
    (action_sentences.asked_who, 2),
    (action_sentences.ordered, 3),
    (descriptions.described, 8),
    (descriptions.described_person, 5),
    (descriptions.professions, 3),
    (descriptions.origins, 1.5),
    (descriptions.ages, 2),
    (descriptions.feelings, 2),
    (comparisons.compared, 3),
    (comparisons.superlatives, 1),
    (likes.liked, 6),
    (likes.liked_to_do, 3),
    (likes.hurting, 1.5),
    (locations.located, 6),
    (locations.existing, 4),
    (locations.owned, 4),
    (locations.known, 3),
    (schedules.told_hour, 1),
    (schedules.scheduled, 2),
    (schedules.weather, 1.5),
    (schedules.priced, 2),
    (reasons.because, 3),
    (reasons.because_of_need, 1.5),
    (reasons.moved, 2),
    (subordination.but, 2.5),
    (subordination.wanted_but, 1.5),
    (subordination.when, 3),
    (subordination.if_, 2.5),
    (subordination.reported, 4),
    (relatives.relative_subject, 3),
    (relatives.relative_object, 2.5),
    (relatives.passive, 3),
    (relatives.exclaimed, 0.7),
)


def generate_corpus() -> dict[str, tuple[AlignedPair, ...]]:
    """Generates the built-in corpus, the same at every call and on every platform.

    Returns:
        "train", "validation" and "test", as `built_in_corpus` returns them. Pairs with the same
        Spanish sentence stay in one split, and a pair is held out only if the training pairs
        keep at least 5 occurrences of each of its words.
    """
    draw = Draw(_SEED)
    groups = draw.shuffled(_same_translation(draw))
    counts = Counter(word for group in groups for pair in group for word in _both(pair))
    splits: dict[str, list[AlignedPair]] = {"validation": [], "test": [], "train": []}
    for group in groups:
        split = _split_for(group, splits, counts)
        splits[split].extend(group)
        if split != "train":
            counts.subtract(word for pair in group for word in _both(pair))
    return {name: tuple(splits[name]) for name in ("train", "validation", "test")}


def draw_pairs(draw: Draw, count: int) -> dict[str, AlignedPair]:
    """Draws distinct pairs, by their English sentence, until there are `count`."""
    pairs: dict[str, AlignedPair] = {}
    while len(pairs) < count:
        pair = draw.weighted(FAMILIES)(draw)
        if len(words(pair.source)) <= _LONGEST:
            pairs.setdefault(pair.source, pair)
    return pairs


def _same_translation(draw: Draw) -> list[list[AlignedPair]]:
    groups: dict[str, list[AlignedPair]] = {}
    for pair in draw_pairs(draw, _PAIRS).values():
        groups.setdefault(pair.target, []).append(pair)
    return list(groups.values())


def _split_for(
    group: Sequence[AlignedPair],
    splits: dict[str, list[AlignedPair]],
    counts: Counter[tuple[str, str]],
) -> str:
    used = Counter(word for pair in group for word in _both(pair))
    if any(counts[word] - times < _SEEN for word, times in used.items()):
        return "train"
    for name in ("validation", "test"):
        if len(splits[name]) + len(group) <= _HELD_OUT:
            return name
    return "train"


def _both(pair: AlignedPair) -> list[tuple[str, str]]:
    source = [("source", word) for word in words(pair.source)]
    return source + [("target", word) for word in words(pair.target)]
