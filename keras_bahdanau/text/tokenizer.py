"""SentencePiece tokenizer, and padded batches of token ids."""

import io
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import sentencepiece

from keras_bahdanau.errors import InputError
from keras_bahdanau.files import atomic_path

PAD_ID, UNKNOWN_ID, START_ID, END_ID = 0, 1, 2, 3
SPECIAL_IDS = {
    "pad_id": PAD_ID,
    "unknown_id": UNKNOWN_ID,
    "start_id": START_ID,
    "end_id": END_ID,
}
# Sentences that a vocabulary is learned from at most: more cost memory and hardly change it.
TRAINING_SENTENCES = 2_000_000


class Tokenizer:
    """A joint SentencePiece model of both languages: text to subword ids and back.

    It wraps one `tokenizer.model` file: the pieces (subwords) of a unigram language model with
    their scores, and the NFKC normalization that is applied to every text first. The same file is
    used in Python, in the SavedModel's graph and on the device.

    The special ids are 0 padding, 1 unknown, 2 start and 3 end; pieces follow from 4 on. A text
    never contains a special token: `<s>` typed by a user is plain text. In pieces, "▁" marks the
    start of a word.

    Args:
        model_bytes: bytes, the content of a `tokenizer.model` file.

    Raises:
        InputError: the bytes are not a SentencePiece model, or its special ids differ.

    Example:

    ```python
    tokenizer = Tokenizer.train(["a red dog", "un perro rojo"] * 50, vocabulary_size=30)
    ids = tokenizer.encode("a red dog")
    tokenizer.decode(ids)  # "a red dog"
    tokenizer.save("tokenizer.model")
    tokenizer = Tokenizer.load("tokenizer.model")
    ```

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
        """Reads a `tokenizer.model` file.

        Raises:
            InputError: there is no such file, or it is not a tokenizer of this kind.
        """
        path = Path(path)
        if not path.is_file():
            raise InputError(f"Expected a tokenizer file. Received: {path}, which does not exist")
        try:
            return cls(path.read_bytes())
        except InputError as error:
            raise InputError(f"{path}: {error}") from error

    @classmethod
    def train(cls, sentences: Iterable[str], vocabulary_size: int) -> "Tokenizer":
        """Learns a tokenizer from sentences of both languages; deterministic.

        Args:
            sentences: the source and target sentences.
            vocabulary_size: int, the largest number of ids. A small corpus may give fewer.

        Raises:
            InputError: there is no text, or `vocabulary_size` is below the size of its alphabet.
        """
        # Seeds the sample of sentences that is taken of a larger corpus.
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
                # NFKC; control characters are removed, unusual spaces become spaces.
                normalization_rule_name="nmt_nfkc",
                pad_id=PAD_ID,
                unk_id=UNKNOWN_ID,
                bos_id=START_ID,
                eos_id=END_ID,
                input_sentence_size=TRAINING_SENTENCES,
                # Deterministic: several threads add up in another order and give other pieces.
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
        """Number of ids, the special ones included."""
        return self._processor.GetPieceSize()

    def encode(self, text: str) -> list[int]:
        """Returns the ids of a text, without start and end tokens."""
        return self._processor.EncodeAsIds(text)

    def encode_all(self, texts: Iterable[str]) -> list[list[int]]:
        """Returns `encode` of each text; faster than one call per text."""
        return self._processor.EncodeAsIds(list(texts))

    def decode(self, token_ids: Iterable[int]) -> str:
        """Returns the text of ids; special ids are left out."""
        return self._processor.DecodeIds([i for i in map(int, token_ids) if i > END_ID])

    def ids_of(self, pieces: Iterable[str]) -> tuple[int, ...]:
        """Returns the ids of pieces.

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
        """Returns the pieces of ids."""
        return [self._processor.IdToPiece(int(token_id)) for token_id in token_ids]


def check_texts(texts):
    """Checks that `texts` is a sequence of strings that UTF-8 can encode.

    Raises:
        TypeError: it is a single string, or not all of it are strings.
        InputError: a text contains a lone surrogate.
    """
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


def pad_ids(sequences: Sequence[Sequence[int]], length: int | None = None) -> np.ndarray:
    """Pads sequences of ids on the right with `PAD_ID`.

    Args:
        sequences: lists of ids.
        length: int, the padded length; by default that of the longest sequence, at least 1.

    Returns:
        int32 array of shape `(len(sequences), length)`.
    """
    longest = max((len(sequence) for sequence in sequences), default=0)
    padded = np.full((len(sequences), max(length or longest, 1)), PAD_ID, dtype="int32")
    for row, sequence in zip(padded, sequences, strict=True):
        row[: len(sequence)] = sequence
    return padded


def by_length(
    lengths: Sequence[int], batch_size: int, max_tokens: int | None = None
) -> list[np.ndarray]:
    """Groups sequences of similar length into batches, the longest first.

    Args:
        lengths: the length of each sequence.
        batch_size: int, the largest number of sequences in a batch.
        max_tokens: int, the largest number of tokens in a batch, padding included; a longer
            sequence is a batch of its own. `None` for no limit.

    Returns:
        list of int arrays, the indices of the sequences of each batch.
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
