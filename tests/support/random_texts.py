"""Random texts of all scripts, for tests of what cuts text into pieces."""

import random

from keras_bahdanau.text.tokenizer import Tokenizer
from keras_bahdanau.training.corpora.built_in import built_in_corpus

# Blocks of Unicode that hold what normalisation treats in its own way, and the plain ones.
_BLOCKS = (
    (0x00, 0x1F),
    (0x20, 0x7E),
    (0x7F, 0x24F),
    (0x300, 0x36F),
    (0x370, 0x5FF),
    (0x600, 0x6FF),
    (0x900, 0x97F),
    (0xE00, 0xE7F),
    (0x1100, 0x11FF),
    (0x1E00, 0x1FFF),
    (0x2000, 0x206F),
    (0x2070, 0x218F),
    (0x2190, 0x2BFF),
    (0x3000, 0x30FF),
    (0x3130, 0x318F),
    (0x3200, 0x33FF),
    (0x4E00, 0x9FFF),
    (0xAC00, 0xD7A3),
    (0xE000, 0xF8FF),
    (0xF900, 0xFDFF),
    (0xFE00, 0xFFFF),
    (0x1D400, 0x1D7FF),
    (0x1F000, 0x1FAFF),
    (0x2F800, 0x2FA1F),
    (0xE0000, 0xE01EF),
    (0x10FF00, 0x10FFFF),
)
_SPACES = " \t\n\u00a0\u200b\u2581\u3000"


def random_texts(number, pieces, seed=0):
    """Yields texts of pieces of a vocabulary, characters of all blocks, and spaces of all kinds.

    Args:
        number: how many.
        pieces: strings; U+2581 in them becomes a space.
        seed: of the random choice.
    """
    draw = random.Random(seed)
    pieces = [piece.replace("\u2581", " ") for piece in pieces]
    for _ in range(number):
        yield "".join(_part(draw, pieces) for _ in range(draw.randint(0, 12)))


def _part(draw, pieces):
    kind = draw.random()
    if kind < 0.45:
        return draw.choice(pieces)
    if kind < 0.9:
        return chr(draw.randint(*draw.choice(_BLOCKS))) * draw.choice((1, 1, 1, 2, 9))
    return draw.choice(_SPACES) * draw.randint(1, 3)


def built_in_tokenizer():
    """A tokenizer of a vocabulary as real models have, learned from the built-in corpus."""
    pairs = built_in_corpus()["train"][:3_000]
    sentences = [text for pair in pairs for text in (pair.source, pair.target)]
    return Tokenizer.train(sentences, vocabulary_size=2_000)
