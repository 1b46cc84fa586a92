"""A toy language pair, for tests that train: every word has one translation, in reverse order."""

import random

import numpy as np

WORDS = ["sun", "moon", "star", "tree", "river", "stone", "bird", "wolf", "wind", "rain"]


def toy_pairs(count: int, seed: int = 0) -> list[tuple[str, str]]:
    """`count` distinct pairs such as ("sun rain wolf", "flow niar nus")."""
    generator = random.Random(seed)
    pairs = {}
    while len(pairs) < count:
        words = generator.choices(WORDS, k=generator.randint(2, 6))
        pairs[" ".join(words)] = " ".join(word[::-1] for word in reversed(words))
    return list(pairs.items())


def write_tsv(path, pairs) -> str:
    """Writes pairs as a TSV file and returns its path."""
    path.write_text("".join(f"{source}\t{target}\n" for source, target in pairs))
    return str(path)


def word_by_word_pairs(count: int, seed: int = 0) -> list[tuple[str, str]]:
    """`count` distinct pairs such as ("sun rain", "nus niar"): easier, as the order stays."""
    generator = random.Random(seed)
    pairs = {}
    while len(pairs) < count:
        words = generator.choices(WORDS, k=generator.randint(1, 4))
        pairs[" ".join(words)] = " ".join(word[::-1] for word in words)
    return list(pairs.items())


def random_pieces(count):
    """So many pairs of one to eight pieces a side, the same ones each time."""
    numbers = np.random.default_rng(0)
    return [
        tuple(numbers.integers(4, 20, numbers.integers(1, 9)).tolist() for _ in range(2))
        for _ in range(count)
    ]
