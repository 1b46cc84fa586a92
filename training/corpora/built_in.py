"""The built-in corpus: 28,000 English-Spanish sentence pairs with gold word alignments.

The pairs are data of the package, `built_in.tsv.bz2`. The grammar that generated them is in
`tools/built_in_corpus` of the repository.
"""

import bz2
import re
from dataclasses import dataclass
from pathlib import Path

from keras_bahdanau.errors import InputError

FILE = Path(__file__).with_name("built_in.tsv.bz2")
SPLITS = ("train", "validation", "test")
_WORD = re.compile(r"[¿?¡!.,]|[^\s¿?¡!.,]+")


@dataclass(frozen=True)
class AlignedPair:
    """An English sentence, its Spanish translation and their word alignment.

    Attributes:
        source: the English sentence.
        target: the Spanish sentence.
        alignment: sorted, distinct `(source_index, target_index)` pairs, 0-based positions in
            `words(source)` and `words(target)`. A word may have several links, or none if only
            grammar demands it (the Spanish personal "a").
    """

    source: str
    target: str
    alignment: tuple[tuple[int, int], ...]


def built_in_corpus(path: Path = FILE) -> dict[str, tuple[AlignedPair, ...]]:
    """The English-Spanish corpus of the package.

    Args:
        path: a compressed TSV file, by default the one of the package. Its columns are split,
            source, target and alignment (Pharaoh format: `0-0 1-2`).

    Returns:
        "train" (26,000 pairs), "validation" and "test" (1,000 pairs each). An English sentence
        occurs once in the whole corpus; a Spanish one, which may translate several ("he" and
        "his brother" can both have "su coche"), occurs in one split only. Every word of the
        validation and test pairs occurs in the training pairs.

    Raises:
        InputError: the file is missing or damaged.
    """
    corpus: dict[str, list[AlignedPair]] = {split: [] for split in SPLITS}
    try:
        for line in bz2.decompress(path.read_bytes()).decode("utf-8").splitlines():
            split, source, target, links = line.split("\t")
            alignment = (tuple(map(int, link.split("-"))) for link in links.split())
            corpus[split].append(AlignedPair(source, target, tuple((i, j) for i, j in alignment)))
        if not all(corpus.values()):
            raise ValueError("a split is empty")
    except (OSError, KeyError, ValueError) as error:
        raise InputError(
            f"The built-in corpus {path} cannot be read: {error}. Reinstall keras-bahdanau"
        ) from error
    return {split: tuple(pairs) for split, pairs in corpus.items()}


def words(text: str) -> list[str]:
    """The words of a sentence of the corpus, as its alignments count them.

    Text is split at spaces, and each of `¿ ? ¡ ! . ,` is a word of its own. An apostrophe or a
    hyphen stays inside its word: "don't", "o'clock", "sister's" and "twenty-one" are one word
    each.
    """
    return _WORD.findall(text)
