"""Text to token ids and back, by SentencePiece; padded batches of ids."""

import io
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import sentencepiece

from keras_bahdanau.errors import InputError
from keras_bahdanau.files import atomic_path


def check_texts(texts):
    """Raises TypeError unless `texts` is a sequence of strings, InputError for broken ones."""
    if isinstance(texts, (str, bytes)) or not hasattr(texts, "__getitem__"):
        raise TypeError(f"Expected a list of texts. Received: one {type(texts).__name__}")
    for index, text in enumerate(texts):
        if not isinstance(text, str):
            raise TypeError(f"Expected texts. Received: {type(text).__name__} at index {index}")
        try:
            text.encode("utf-8")
        except UnicodeEncodeError as error:
            raise InputError(
                "Expected texts that can be written in UTF-8. Received: the lone surrogate "
                f"{text[error.start]!r} at index {index}"
            ) from error


PAD_ID, UNKNOWN_ID, START_ID, END_ID = 0, 1, 2, 3
SPECIAL_IDS = {
    "pad_id": PAD_ID,
    "unknown_id": UNKNOWN_ID,
    "start_id": START_ID,
    "end_id": END_ID,
}
# More sentences than this only cost memory: the pieces hardly change.
TRAINING_SENTENCES = 2_000_000


class Tokenizer:
    """A joint SentencePiece model of both languages, NFKC normalisation included.

    The ids are 0 padding, 1 unknown, 2 start, 3 end. Control symbols that a user types, such as
    `<s>`, are plain text. The same model file is used in Python, in the SavedModel's graph and on
    the device.

    Args:
        model_bytes: the content of a `tokenizer.model` file.

    Raises:
        InputError: the bytes are no SentencePiece model, or one with other special ids.

    Reference: Kudo 2018, https://arxiv.org/abs/1804.10959 (unigram language model).
    """

    def __init__(self, model_bytes: bytes):
        self.model_bytes = model_bytes
        self._processor = sentencepiece.SentencePieceProcessor()
        try:
            self._processor.LoadFromSerializedProto(model_bytes)
        except RuntimeError as error:
            raise InputError("Expected a SentencePiece model. Received: other bytes") from error
        received = {
            "pad_id": self._processor.pad_id(),
            "unknown_id": self._processor.unk_id(),
            "start_id": self._processor.bos_id(),
            "end_id": self._processor.eos_id(),
        }
        if received != SPECIAL_IDS:
            raise InputError(
                f"Expected a tokenizer with the ids {SPECIAL_IDS}. Received: {received}"
            )

    @classmethod
    def load(cls, path: str | os.PathLike) -> "Tokenizer":
        """Reads a `tokenizer.model` file."""
        path = Path(path)
        if not path.is_file():
            raise InputError(f"Expected a tokenizer file. Received: {path}, which does not exist")
        try:
            return cls(path.read_bytes())
        except InputError as error:
            raise InputError(f"{path}: {error}") from error

    @classmethod
    def train(cls, sentences: Iterable[str], vocabulary_size: int) -> "Tokenizer":
        """Learns a tokenizer from sentences of both languages.

        Args:
            sentences: the texts, of both sides.
            vocabulary_size: number of ids at most. A small corpus may give fewer.

        Raises:
            InputError: there is no text to learn from.
        """
        # It draws the sentences of a corpus that is larger than it reads.
        sentencepiece.set_random_generator_seed(1)
        model = io.BytesIO()
        try:
            sentencepiece.SentencePieceTrainer.Train(
                sentence_iterator=iter(sentences),
                model_writer=model,
                model_type="unigram",
                vocab_size=vocabulary_size,
                hard_vocab_limit=False,
                character_coverage=1.0,
                # NFKC; control characters and unusual spaces become spaces or nothing.
                normalization_rule_name="nmt_nfkc",
                pad_id=PAD_ID,
                unk_id=UNKNOWN_ID,
                bos_id=START_ID,
                eos_id=END_ID,
                input_sentence_size=TRAINING_SENTENCES,
                # More threads would add up in another order and give other pieces.
                num_threads=1,
                minloglevel=2,
            )
        except RuntimeError as error:
            raise InputError(
                f"Expected text from which {vocabulary_size} pieces can be learned. "
                f"Received: SentencePiece says {str(error).strip()}"
            ) from error
        return cls(model.getvalue())

    def save(self, path: str | os.PathLike):
        """Writes the `tokenizer.model` file."""
        with atomic_path(path) as temporary:
            temporary.write_bytes(self.model_bytes)

    @property
    def vocabulary_size(self) -> int:
        return self._processor.GetPieceSize()

    def encode(self, text: str) -> list[int]:
        """Ids of the pieces of a text, without start and end tokens."""
        return self._processor.EncodeAsIds(text)

    def encode_all(self, texts: Iterable[str]) -> list[list[int]]:
        """`encode` of many texts at once."""
        return self._processor.EncodeAsIds(list(texts))

    def decode(self, token_ids: Iterable[int]) -> str:
        """The text of ids; special ids are left out."""
        return self._processor.DecodeIds([i for i in map(int, token_ids) if i > END_ID])

    def ids_of(self, pieces: Iterable[str]) -> tuple[int, ...]:
        """The ids of pieces.

        Raises:
            InputError: one of them is not in the vocabulary.
        """
        ids = tuple(self._processor.PieceToId(piece) for piece in pieces)
        for piece, token_id in zip(pieces, ids, strict=True):
            if self._processor.IdToPiece(token_id) != piece:
                raise InputError(
                    'Expected pieces of the vocabulary ("▁" marks the start of a word). '
                    f"Received: {piece}"
                )
        return ids

    def pieces(self, token_ids: Iterable[int]) -> list[str]:
        """The pieces of ids: "▁" marks the start of a word."""
        return [self._processor.IdToPiece(int(token_id)) for token_id in token_ids]


def pad_ids(sequences: Sequence[Sequence[int]], length: int | None = None) -> np.ndarray:
    """An int32 array of shape `(len(sequences), length)`, padded on the right.

    `length` is that of the longest sequence unless given, and at least 1.
    """
    longest = max((len(sequence) for sequence in sequences), default=0)
    padded = np.full((len(sequences), max(length or longest, 1)), PAD_ID, dtype="int32")
    for row, sequence in zip(padded, sequences, strict=True):
        row[: len(sequence)] = sequence
    return padded


def by_length(
    lengths: Sequence[int], batch_size: int, max_tokens: int | None = None
) -> list[np.ndarray]:
    """Batches of indices, longest first, so that each batch holds sequences of like lengths.

    Args:
        lengths: the length of each sequence.
        batch_size: sequences in a batch, at most.
        max_tokens: tokens in a batch at most, padding included; a longer sequence is alone.
    """
    if batch_size < 1:
        raise ValueError(f"Expected a batch_size of at least 1. Received: {batch_size}")
    order = np.argsort(-np.asarray(lengths, dtype="int64"), kind="stable")
    batches, start = [], 0
    while start < len(order):
        rows = batch_size
        if max_tokens is not None:
            rows = min(rows, max(max_tokens // max(lengths[order[start]], 1), 1))
        batches.append(order[start : start + rows])
        start += rows
    return batches
