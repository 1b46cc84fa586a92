"""`tokenizer.json`: a tokenizer for runtimes that do not have SentencePiece."""

import base64

from keras_bahdanau.export.litert.sentencepiece_model import (
    UNKNOWN_SURFACE,
    read_sentencepiece_model,
)

FILE_NAME = "tokenizer.json"
FORMAT, FORMAT_VERSION = "keras-bahdanau-tokenizer", 1
_PIECE_TYPES = {1: "normal", 2: "unknown", 3: "control", 4: "user_defined", 5: "unused", 6: "byte"}
_MODEL_TYPES = {1: "unigram", 2: "bpe", 3: "word", 4: "char"}


def tokenizer_description(model_bytes):
    """What a runtime without SentencePiece needs to cut text into the same pieces.

    `examples/tokenizer/README.md` says how to use it.

    Args:
        model_bytes: content of a SentencePiece model file.

    Returns:
        A dict for JSON: `model_type` ("other" where the model has a setting that the dict has no
        key for, so that no port follows it by halves), `normalizer` (SentencePiece's name of the
        rules), the treatment of spaces, `charsmap` (the compiled rules in Base64, empty where
        there are none), and `pieces`, one `[piece, score, type]` for each id.
    """
    model = read_sentencepiece_model(model_bytes)
    normalizer, trainer = model.normalizer_spec, model.trainer_spec
    return {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "model_type": _MODEL_TYPES[trainer.model_type] if _is_described(model) else "other",
        "normalizer": normalizer.name,
        "add_dummy_prefix": normalizer.add_dummy_prefix,
        "remove_extra_whitespaces": normalizer.remove_extra_whitespaces,
        "escape_whitespaces": normalizer.escape_whitespaces,
        "space_symbol": "\u2581",
        "byte_fallback": trainer.byte_fallback,
        "charsmap": base64.b64encode(normalizer.precompiled_charsmap).decode("ascii"),
        "pieces": [[piece.piece, piece.score, _PIECE_TYPES[piece.type]] for piece in model.pieces],
    }


def _is_described(model):
    trainer = model.trainer_spec
    return (
        trainer.unk_surface == UNKNOWN_SURFACE
        and not trainer.treat_whitespace_as_suffix
        and not model.denormalizer_spec.precompiled_charsmap
    )
