"""Exported directories without a model, for tests of tokenizers in other languages."""

import json

import sentencepiece

from keras_bahdanau.export.litert.artifacts import write_manifest
from keras_bahdanau.export.litert.tokenizer_file import (
    TOKENIZER_FILE_NAME,
    read_sentencepiece_model,
    tokenizer_description,
    vector,
)
from keras_bahdanau.files import write_json
from keras_bahdanau.text.tokenizer import SPECIAL_IDS


def write_directory(path, model_bytes):
    """Writes `tokenizer.json` of a SentencePiece model and a manifest, and returns the path."""
    path.mkdir()
    write_json(path / TOKENIZER_FILE_NAME, tokenizer_description(model_bytes), indent=1)
    write_manifest_of(path, len(read_sentencepiece_model(model_bytes).pieces))
    return path


def write_manifest_of(path, vocabulary_size):
    """Writes a manifest of what is in a directory without a model."""
    description = {
        "vocabulary_size": vocabulary_size,
        "max_length": 64,
        "max_target_length": 64,
        "length_bound": {"factor": 2, "offset": 10},
        "special_ids": SPECIAL_IDS,
        "beam_width": 5,
    }
    write_manifest(path, description)


def write_vectors_of(path, model_bytes, texts):
    """Writes what SentencePiece says of texts as `tokenizer_vectors.jsonl` does."""
    processor = sentencepiece.SentencePieceProcessor(model_proto=model_bytes)
    lines = [json.dumps(vector(processor, text)) + "\n" for text in texts]
    path.write_text("".join(lines), encoding="ascii")
