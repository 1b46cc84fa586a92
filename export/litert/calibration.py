"""Texts on which the rounding of weights is calibrated."""

import numpy as np

from keras_bahdanau.errors import InputError
from keras_bahdanau.text.tokenizer import PAD_ID, SPECIAL_IDS, by_length, pad_ids

# More texts than this cost time and hardly change the result.
MOST_TEXTS = 3200
# Small, because what is estimated is better of many batches than of large ones.
_BATCH_SIZE = 16


def calibration_batches(translator, texts):
    """Texts and what a translator makes of them, as batches for teacher forcing.

    Args:
        translator: a `Translator`.
        texts: texts in the source language. Of more than `MOST_TEXTS`, so many are taken, at
            equal distances; texts that are empty or beyond the model's limit are left out.

    Returns: list of `(source_ids, target_in_ids, target_mask)`, see `curvatures_of`.

    Raises:
        InputError: no text is left.
    """
    texts, config = list(texts), translator.config
    spacing = max(len(texts) / MOST_TEXTS, 1.0)
    taken = [texts[int(place)] for place in np.arange(0, len(texts), spacing)]
    pairs = [
        (source_ids, target_ids)
        for source_ids, target_ids in zip(*_ids(translator, taken), strict=True)
        if 1 < len(source_ids) <= config["max_length"]
        and len(target_ids) <= config["max_target_length"]
    ]
    if not pairs:
        raise InputError(
            "Expected texts to calibrate on, at least one that is neither empty nor longer than "
            f"{config['max_length']} pieces. Received: {len(texts)} texts, none of them such"
        )
    return [
        _batch(*zip(*(pairs[index] for index in indices), strict=True))
        for indices in by_length([len(target_ids) for _, target_ids in pairs], _BATCH_SIZE)
    ]


def _ids(translator, texts):
    """Ids of the texts and of their translations, all with the end token."""
    translations = translator.translate(texts, beam_width=1)
    end = [SPECIAL_IDS["end_id"]]
    return (
        [ids + end for ids in translator.tokenizer.encode_all(each)]
        for each in (texts, translations)
    )


def _batch(source_ids, target_ids):
    target_ids = pad_ids(target_ids)
    start = np.full((len(target_ids), 1), SPECIAL_IDS["start_id"], "int32")
    target_in_ids = np.concatenate([start, target_ids[:, :-1]], axis=1)
    return pad_ids(source_ids), target_in_ids, target_ids != PAD_ID
