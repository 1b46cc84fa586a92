"""`Translation`, the result for one text; and texts over the limit, translated in parts."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from keras_bahdanau.text.splitting import split_text

if TYPE_CHECKING:
    from keras_bahdanau.alignments import Alignment


@dataclass(frozen=True)
class Translation:
    """One translation of one text.

    Attributes:
        text: the translation.
        log_probability: sum of the natural logarithms of its tokens' probabilities, the end token
            included; of a text in parts the sum over them; NaN where the search computes none.
        source_pieces: the S pieces of the source, the end token included.
        target_pieces: the T pieces of the translation, the end token included where it was
            generated.
        attention: float array of shape `(T, S)`: the weight of each source piece for each target
            piece; `None` without `return_alignments`.
    """

    text: str
    log_probability: float
    source_pieces: tuple[str, ...] = ()
    target_pieces: tuple[str, ...] = ()
    attention: np.ndarray | None = None

    def word_alignment(self, keep_ends: bool = False) -> "Alignment":
        """Word alignment: the attention of each target word to each source word.

        Pieces are merged into words at white space (in scripts without spaces each piece is a
        word): see `alignments.word_attention`.

        Args:
            keep_ends: whether the end tokens count as words, `</s>`.

        Raises:
            ValueError: the translation has no attention weights.

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
        from keras_bahdanau.alignments import Alignment, word_attention

        words = word_attention(
            self.attention, self.source_pieces, self.target_pieces, keep_ends=keep_ends
        )
        return Alignment(*words, score=self.log_probability)


BLANK = Translation("", 0.0, attention=np.zeros((0, 0), "float32"))


def translate_long_texts(
    texts: Sequence[str],
    translate_parts: Callable[[list[str], list[str] | None], list[list[Translation]]],
    *,
    encode: Callable[[str], list[int]],
    max_length: int,
    prefixes: Sequence[str] | None = None,
) -> tuple[list[list[Translation]], int]:
    """Translates texts of any length with a model of limited length.

    A text over the limit is split at sentence ends (else at spaces) into parts within it.

    Args:
        texts: the texts. One without any piece, such as a blank line, has a blank translation.
        translate_parts: function of a list of texts within the limit, and of their forced prefixes
            or `None`; returns the n-best list of each.
        encode: from a text to the ids of its pieces, without the end token.
        max_length: the limit in pieces, the end token included.
        prefixes: forced prefix of each translation, or `None`. It goes to the first part of a
            text; the other parts get an empty one.

    Returns:
        `(translations, number_split)`: the n-best list of each text, in order; and how many texts
        were longer than the limit.
    """
    parts, owners, number_split = [], [], 0
    part_prefixes = None if prefixes is None else []
    for index, text in enumerate(texts):
        length = len(encode(text)) + 1
        if length == 1:
            continue
        parts_of_text = [text]
        if length > max_length:
            parts_of_text = split_text(text, lambda part: len(encode(part)) + 1, max_length)
            number_split += 1
        parts += parts_of_text
        owners += [index] * len(parts_of_text)
        if prefixes is not None:
            part_prefixes += [prefixes[index], *[""] * (len(parts_of_text) - 1)]
    found = translate_parts(parts, part_prefixes) if parts else []
    n_best_lists = [[] for _ in texts]
    for owner, n_best_list in zip(owners, found, strict=True):
        n_best_lists[owner].append(n_best_list)
    translations = [
        [join_translations(same_rank) for same_rank in zip(*of_parts, strict=False)] or [BLANK]
        for of_parts in n_best_lists
    ]
    return translations, number_split


def join_translations(parts: Sequence[Translation]) -> Translation:
    """Joins the translations of the parts of a text.

    Texts are joined by spaces, log-probabilities add up, and the attention is block-diagonal.
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


def translations_from_search(tokenizer, source_ids, found) -> list[Translation]:
    """The translations of one text from the result of a search, best first.

    Args:
        tokenizer: the `Tokenizer`.
        source_ids: list of the ids of the text, the end token last.
        found: `SearchResult` of NumPy arrays without the batch axis.
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


def translation_from_signature(outputs, row: int, rank: int) -> Translation:
    """One translation from the outputs of a SavedModel's signature `translate_n_best`.

    Args:
        outputs: dict of NumPy arrays.
        row: index of the text.
        rank: index of its translation, 0 for the best.

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
