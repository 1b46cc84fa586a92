"""Texts longer than a model's limit: cut where a reader would pause, translated, joined."""

from collections.abc import Callable, Sequence

from keras_bahdanau.text.splitting import split_text
from keras_bahdanau.translation import BLANK, Translation, join_translations


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
