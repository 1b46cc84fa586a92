"""Merges attention between SentencePiece pieces to attention between words."""

import unicodedata
from collections.abc import Sequence

import numpy as np

WORD_START = "\u2581"
END_WORD = "</s>"

# Scripts without spaces between words: there every piece counts as a word.
_SPACELESS_SCRIPTS = (
    *("CJK", "IDEOGRAPHIC", "FULLWIDTH", "HIRAGANA", "KATAKANA"),
    *("THAI", "LAO", "KHMER", "MYANMAR"),
)


def merge_pieces(pieces: Sequence[str]) -> tuple[list[str], list[list[int]]]:
    """Joins SentencePiece pieces to words.

    A word starts at a piece that begins with the mark "\u2581", at the first piece, and at the end
    piece `</s>`. In scripts without spaces (Chinese, Japanese, Thai, ...) it starts at every piece,
    since a whole sentence would be one word otherwise.

    Args:
        pieces: pieces in the order of the text.

    Returns:
        The words without their marks, and for each word the indices of its pieces. Every index
        occurs exactly once.
    """
    groups: list[list[int]] = []
    for index, piece in enumerate(pieces):
        if index == 0 or _starts_word(piece, pieces[index - 1]):
            groups.append([index])
        else:
            groups[-1].append(index)
    texts = ("".join(pieces[index] for index in group) for group in groups)
    # A mark without letters stays visible: an empty word could not be pointed at.
    return [text.replace(WORD_START, " ").strip() or WORD_START for text in texts], groups


def word_attention(
    attention: np.ndarray,
    source_pieces: Sequence[str],
    target_pieces: Sequence[str],
    keep_ends: bool = True,
) -> tuple[list[str], list[str], np.ndarray]:
    """Merges attention weights between pieces to weights between words.

    Weights are summed over the pieces of a source word and averaged over those of a target word,
    so rows keep summing to at most 1.

    The end of a sentence is a word of its own, `</s>`, or is left out. It may be among the pieces,
    or be an additional last row or column of `attention`.

    Args:
        attention: array of shape `(target_length, source_length)`, the attention weights.
        source_pieces: `source_length` pieces, or one fewer when they leave out the end piece.
        target_pieces: `target_length` pieces, or one fewer when they leave out the end piece.
        keep_ends: whether ends of sentences are words. Without them, rows may sum to less.

    Returns:
        `(source_words, target_words, weights)`, with weights float32 of shape
        `(target_words, source_words)`.

    Raises:
        ValueError: the shape of `attention` does not fit the pieces.
    """
    attention = np.asarray(attention, dtype=np.float32)
    if attention.ndim != 2:
        raise ValueError(
            "Argument `attention` must have the shape (target_length, source_length). "
            f"Received: shape {attention.shape}"
        )
    target_pieces = _with_end(target_pieces, attention.shape[0], "target_pieces", "rows")
    source_pieces = _with_end(source_pieces, attention.shape[1], "source_pieces", "columns")
    source_words, source_groups = _words(source_pieces, keep_ends)
    target_words, target_groups = _words(target_pieces, keep_ends)
    weights = np.zeros((len(target_groups), len(source_groups)), np.float32)
    for row, target_group in enumerate(target_groups):
        mean = attention[target_group].mean(axis=0)
        weights[row] = [mean[source_group].sum() for source_group in source_groups]
    return source_words, target_words, weights


def _words(pieces, keep_ends):
    words, groups = merge_pieces(pieces)
    kept = [
        index
        for index, group in enumerate(groups)
        # Only the end token is this piece: `</s>` typed by a user is split into others.
        if keep_ends or [pieces[i] for i in group] != [END_WORD]
    ]
    return [words[index] for index in kept], [groups[index] for index in kept]


def _starts_word(piece: str, previous: str) -> bool:
    if piece.startswith(WORD_START) or END_WORD in (piece, previous):
        return True
    return is_spaceless(piece[:1]) and is_spaceless(previous[-1:])


def is_spaceless(character: str) -> bool:
    """Whether a character (or "") is of a script that puts no spaces between words."""
    return character != "" and unicodedata.name(character, "").startswith(_SPACELESS_SCRIPTS)


def _with_end(pieces: Sequence[str], length: int, name: str, axis: str) -> list[str]:
    if length == len(pieces) + 1:
        return [*pieces, END_WORD]
    if length != len(pieces):
        raise ValueError(
            f"Argument `attention` must have as many {axis} as there are `{name}`, or one more for "
            f"the end of the sentence. Received: {length} {axis}, {len(pieces)} pieces"
        )
    return list(pieces)
