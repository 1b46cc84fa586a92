"""Data diversification: translations of the training text are added to it as training pairs."""

import dataclasses
import sys
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path

from tqdm import tqdm

from keras_bahdanau.files import atomic_path
from keras_bahdanau.translation.translator import Translator

from .corpora.parallel_text import blocks, lines
from .data.splits import Splits
from .distribution import Distribution
from .options import TrainingOptions


def diversify(
    splits: Splits,
    options: TrainingOptions,
    directory: Path,
    train: Callable[[Splits, TrainingOptions, Path], Translator],
    distribution: Distribution,
    show_progress: bool = True,
) -> Splits:
    """Trains translators in both directions, and adds their translations of the training text.

    This is data diversification with one round (Nguyen et al. 2020,
    https://arxiv.org/abs/1911.01986): the training pairs (x, y), then (x, forward(x)) and
    (backward(y), y) of each of `options.diversify` translators in each direction, which differ by
    their seeds. Models and translations of an earlier start are used again.

    Args:
        splits: the pairs of the run.
        options: its hyper-parameters, also for the translators.
        directory: receives a model directory and a text file for each translator.
        train: function of splits, options and directory that trains a translator, or resumes.
        distribution: that of the run; its chief translates.
        show_progress: whether to draw progress bars.

    Returns:
        The splits with the larger training text.
    """
    additions = []
    directions = {"forward": ("source", splits), "backward": ("target", _reversed(splits))}
    for number in range(1, options.diversify + 1):
        for name, (reads, given) in directions.items():
            path = directory / f"{name}-{number}.txt"
            if distribution.is_chief:
                place = f"{name} translator {number} of {options.diversify}"
                print(f"diversification: {place}", file=sys.stderr, flush=True)
            translator = train(
                # Cleaning needs the test pairs; otherwise the translators are not tested.
                given._replace(test=given.test if options.clean else []),
                _options_of_helper(options, number),
                directory / path.stem,
            )
            distribution.chief_first(
                partial(_translate, translator, given.train, path, show_progress)
            )
            additions.append(Addition(splits.train, path, reads))
    return splits._replace(train=DiversifiedPairs(splits.train, additions))


class Addition:
    """Pairs of one side of the training text and its translations.

    A translation that is equal to the other side of the training pair adds no pair.

    Args:
        pairs: the training pairs.
        path: file with one translation for each of them.
        reads: `"source"` or `"target"`, the side that was translated.
    """

    def __init__(self, pairs: Iterable, path: Path, reads: str) -> None:
        self.pairs, self.path, self.reads = pairs, path, reads

    def __iter__(self) -> Iterator[tuple[str, str]]:
        for (source, target), translation in zip(self.pairs, lines(self.path), strict=True):
            pair = (source, translation) if self.reads == "source" else (translation, target)
            if pair != (source, target):
                yield pair


class DiversifiedPairs:
    """The training pairs, then those of each `Addition`; can be iterated over several times."""

    def __init__(self, pairs: Iterable, additions: list[Addition]) -> None:
        self.pairs, self.additions = pairs, additions

    def __iter__(self) -> Iterator[tuple[str, str]]:
        for part in (self.pairs, *self.additions):
            yield from part


class ReversedPairs:
    """The pairs with source and target exchanged; can be iterated over several times."""

    def __init__(self, pairs: Iterable) -> None:
        self.pairs = pairs

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return ((target, source) for source, target in self.pairs)


def _reversed(splits):
    held_out = ([*ReversedPairs(pairs)] for pairs in (splits.validation, splits.test))
    return Splits(ReversedPairs(splits.train), *held_out)


def _options_of_helper(options, number):
    seed = (options.seed + number) % (1 << 32)
    return dataclasses.replace(options, diversify=0, seed=seed)


def _translate(translator, pairs, path, show_progress):
    """Writes one translation for each source to a file, line by line."""
    if path.is_file():
        return
    bar = tqdm(
        desc=f"translating for {path.name}",
        leave=False,
        unit=" lines",
        unit_scale=True,
        # `None`: no bar unless standard error is a terminal.
        disable=None if show_progress else True,
    )
    with bar, atomic_path(path) as temporary, open(temporary, "w", encoding="utf-8") as file:
        for block in blocks(source for source, _ in pairs):
            file.writelines(f"{text}\n" for text in translator.translate(block))
            bar.update(len(block))
