"""Translations: what a translator returns, and the joining of the parts of a long text."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from keras_bahdanau.alignments import Alignment, word_attention
from keras_bahdanau.text.splitting import split_text


@dataclass(frozen=True)
class Translation:
    """One translation of one text.

    Attributes:
        text: the translation.
        log_probability: sum of the natural logarithms of its tokens' probabilities, the end token
            included.
        source_pieces: the S pieces of the source, the end token included.
        target_pieces: the T pieces of the translation, the end token included where it was
            generated.
        attention: float array of shape `(T, S)`: the weight of each source piece for each target
            piece; `None` where it was not asked for.
    """

    text: str
    log_probability: float
    source_pieces: tuple[str, ...] = ()
    target_pieces: tuple[str, ...] = ()
    attention: np.ndarray | None = None

    def word_alignment(self, keep_ends: bool = False) -> Alignment:
        """Which words of the source each word of the translation looked at.

        Pieces are merged to words, which white space separates (each piece is one in scripts
        without spaces): see `alignments.word_attention`.

        Args:
            keep_ends: whether the end tokens are words too, `</s>`.

        Raises:
            ValueError: the attention was not asked for.

        Example:

        >>> best = translator.translate(["A dog runs."], return_alignments=True)[0]
        >>> best.word_alignment().pharaoh()
        '0-0 1-1 2-2'
        """
        if self.attention is None:
            raise ValueError(
                "Expected a translation with attention weights (return_alignments=True). "
                "Received: one without"
            )
        words = word_attention(
            self.attention, self.source_pieces, self.target_pieces, keep_ends=keep_ends
        )
        return Alignment(*words, score=self.log_probability)


BLANK = Translation("", 0.0, attention=np.zeros((0, 0), "float32"))


def as_asked(translations: list[list[Translation]], n_best: int, return_alignments: bool) -> list:
    """N-best lists of `Translation` as the caller of a `translate` method wants them.

    Returns:
        One string (or, with `return_alignments`, `Translation`) for each text; with `n_best` over
        1 a list of them, best first.
    """
    if not return_alignments:
        translations = [[each.text for each in ranked] for ranked in translations]
    return translations if n_best > 1 else [ranked[0] for ranked in translations]


def join_translations(parts: Sequence[Translation]) -> Translation:
    """The translation of a text that was translated part by part.

    The texts are joined by spaces and the log-probabilities add up; no weight goes from one part
    to another.
    """
    if len(parts) == 1:
        return parts[0]
    attention = None
    if all(part.attention is not None for part in parts):
        shapes = np.array([part.attention.shape for part in parts])
        attention = np.zeros(shapes.sum(axis=0), dtype="float32")
        ends = shapes.cumsum(axis=0)
        for part, (rows, columns), (row, column) in zip(parts, shapes, ends, strict=True):
            attention[row - rows : row, column - columns : column] = part.attention
    return Translation(
        text=" ".join(part.text for part in parts if part.text),
        log_probability=sum(part.log_probability for part in parts),
        source_pieces=sum((part.source_pieces for part in parts), ()),
        target_pieces=sum((part.target_pieces for part in parts), ()),
        attention=attention,
    )


def read_translations(tokenizer, source_ids, found) -> list[Translation]:
    """The translations of one text, best first.

    Args:
        tokenizer: the `Tokenizer`.
        source_ids: list of the ids of the text, the end token last.
        found: `SearchResult` of NumPy arrays, the row of this text.
    """
    source_pieces = tuple(tokenizer.pieces(source_ids))
    translations = []
    for rank, length in enumerate(found.lengths):
        token_ids, attention = found.token_ids[rank, :length], None
        if found.attention_scores is not None:
            attention = found.attention_scores[rank, :length, : len(source_ids)]
        translations.append(
            Translation(
                text=tokenizer.decode(token_ids),
                log_probability=float(found.log_probabilities[rank]),
                source_pieces=source_pieces,
                target_pieces=tuple(tokenizer.pieces(token_ids)),
                attention=attention,
            )
        )
    return translations


def read_served_translation(outputs, row: int, rank: int) -> Translation:
    """One translation among the outputs of the signature `translate_n_best`.

    Args:
        outputs: dict of NumPy arrays.
        row: which text.
        rank: which of its translations, from 0.

    Returns:
        A `Translation` without the padding of the batch.
    """
    source_pieces = [piece.decode() for piece in outputs["source_tokens"][row] if piece]
    target_pieces = [piece.decode() for piece in outputs["target_tokens"][row, rank] if piece]
    return Translation(
        text=outputs["translation"][row, rank].decode(),
        log_probability=float(outputs["log_probability"][row, rank]),
        source_pieces=tuple(source_pieces),
        target_pieces=tuple(target_pieces),
        attention=outputs["attention"][row, rank, : len(target_pieces), : len(source_pieces)],
    )


def translate_long_texts(
    texts: Sequence[str],
    translate_parts: Callable[[list[str]], list[list[Translation]]],
    *,
    encode: Callable[[str], list[int]],
    max_length: int,
    beginnings: Sequence[str] | None = None,
) -> tuple[list[list[Translation]], int]:
    """Translates texts of any length with a translator of limited length.

    Args:
        texts: the texts. One without any piece, such as a blank line, has a blank translation.
        translate_parts: from a list of texts within the limit to their n-best lists.
        encode: from a text to the ids of its pieces, without the end token.
        max_length: the limit in pieces, the end token included.
        beginnings: what the translation of each text begins with. Then `translate_parts` gets a
            second list, with that of each part: of all but the first part of a text, nothing.

    Returns:
        `(translations, number_split)`: the n-best list of each text, in order; and how many texts
        were longer than the limit.
    """
    parts, owners, number_split, given = [], [], 0, []
    for index, text in enumerate(texts):
        length = len(encode(text)) + 1
        if length == 1:
            continue
        pieces = [text]
        if length > max_length:
            pieces = split_text(text, lambda part: len(encode(part)) + 1, max_length)
            number_split += 1
        parts += pieces
        owners += [index] * len(pieces)
        if beginnings is not None:
            given += [beginnings[index], *[""] * (len(pieces) - 1)]
    of_text = [[] for _ in texts]
    arguments = [parts] if beginnings is None else [parts, given]
    found = translate_parts(*arguments) if parts else []
    for owner, translations in zip(owners, found, strict=True):
        of_text[owner].append(translations)
    joined = [
        [join_translations(rank) for rank in zip(*n_best_lists, strict=False)] or [BLANK]
        for n_best_lists in of_text
    ]
    return joined, number_split
