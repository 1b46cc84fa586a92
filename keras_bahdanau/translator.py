"""A trained model with its tokenizer: text in, text out."""

import os
from collections.abc import Sequence
from functools import lru_cache, partial
from pathlib import Path

import keras
import numpy as np
from keras.ops import convert_to_numpy

from keras_bahdanau import generation
from keras_bahdanau.compiled import compile_for_ids
from keras_bahdanau.errors import InputError
from keras_bahdanau.files import atomic_path
from keras_bahdanau.long_texts import translate_long_texts
from keras_bahdanau.model_directory import MODEL_FILE, TOKENIZER_FILE, read_config, write_config
from keras_bahdanau.models import TranslationModel
from keras_bahdanau.padding import by_length, pad_ids
from keras_bahdanau.search import SearchResult
from keras_bahdanau.text.tokenizer import END_ID, PAD_ID, SPECIAL_IDS, START_ID, Tokenizer
from keras_bahdanau.translation import Translation, as_asked, read_translations

DEFAULT_MAX_LENGTH = 128
# What bounds the memory of scoring, whose logits hold the whole vocabulary for each target token.
SCORED_TOKENS = 8192


class Translator:
    """Translates text with a trained `TranslationModel`.

    Args:
        model: a `TranslationModel`.
        tokenizer: the `Tokenizer` whose ids it was trained on.
        config: dict with `max_length`, the limit of a source in pieces (the end token included),
            and `max_target_length`, the limit of a translation in tokens. Other entries are kept.

    Raises:
        ValueError: model and tokenizer have vocabularies of different sizes.

    Example:

    >>> translator = Translator.load("my-model")
    >>> translator.translate(["A dog runs."])
    ['Ein Hund rennt.']
    """

    def __init__(self, model: TranslationModel, tokenizer: Tokenizer, config: dict | None = None):
        if model.encoder.vocabulary_size != tokenizer.vocabulary_size:
            raise ValueError(
                "Expected the tokenizer of the model. Received: a tokenizer of "
                f"{tokenizer.vocabulary_size} pieces, a model of {model.encoder.vocabulary_size}"
            )
        limits = {"max_length": DEFAULT_MAX_LENGTH, "max_target_length": 2 * DEFAULT_MAX_LENGTH}
        self.model = model
        self.tokenizer = tokenizer
        self.config = {**limits, **(config or {})}
        self._search = lru_cache(maxsize=8)(self._compile_search)
        self._score = compile_for_ids(
            partial(generation.score, model, pad_id=PAD_ID), 3, variables=model.variables
        )

    @classmethod
    def load(cls, directory: str | os.PathLike) -> "Translator":
        """Reads a trained model directory. Nothing in it is run as code.

        Raises:
            InputError: the directory is none, is half written, damaged, or of a newer version.
        """
        directory = Path(directory)
        config = read_config(directory)
        tokenizer = Tokenizer.load(directory / TOKENIZER_FILE)
        try:
            model = keras.saving.load_model(directory / MODEL_FILE, compile=False, safe_mode=True)
        except Exception as error:
            reason = " ".join(str(error).split())[:200]
            raise InputError(
                f"Expected a Keras model. Received: {directory / MODEL_FILE}, which cannot be "
                f"read: {reason}"
            ) from error
        if not isinstance(model, TranslationModel):
            raise InputError(
                f"Expected a TranslationModel. Received: {directory / MODEL_FILE}, which holds a "
                f"{type(model).__name__}"
            )
        try:
            return cls(model, tokenizer, config)
        except ValueError as error:
            raise InputError(f"{directory}: {error}") from error

    def save(self, directory: str | os.PathLike):
        """Writes `model.keras`, `tokenizer.model` and `config.json`, each atomically."""
        directory = Path(directory)
        with atomic_path(directory / MODEL_FILE) as temporary:
            self.model.save(temporary)
        self.tokenizer.save(directory / TOKENIZER_FILE)
        write_config(directory, self.config)

    @property
    def max_length(self) -> int:
        """The limit of a source in pieces, the end token included; longer texts are split."""
        return self.config["max_length"]

    @property
    def length_penalty(self) -> float:
        """The exponent of the length that divides a log-probability where no other is given."""
        return self.config.get("length_penalty", 1.0)

    def translate(
        self,
        texts: Sequence[str],
        beam_width: int = 5,
        n_best: int = 1,
        return_alignments: bool = False,
        length_penalty: float | None = None,
        batch_size: int = 64,
    ) -> list:
        """Translates texts.

        A text longer than the model's limit is cut at sentence ends (else at spaces), translated
        part by part and joined. A text of nothing but white space has a blank translation.

        Args:
            texts: the texts.
            beam_width: number of hypotheses kept; 1 is greedy search.
            n_best: number of translations of each text, at most `beam_width`.
            return_alignments: whether to return `Translation` objects, with pieces and attention
                weights, in place of strings.
            length_penalty: exponent of the length that divides a log-probability; `None` for the
                one that the model's training has chosen.
            batch_size: number of texts searched at once.

        Returns:
            A list with one string (or `Translation`) for each text; with `n_best` over 1 a list
            of lists, best first.

        Raises:
            ValueError: `n_best` is larger than `beam_width`, one of them is below 1, or
                `length_penalty` is negative.
            TypeError: `texts` is one string, or holds something that is no string.
        """
        translations, _ = self.translate_n_best(
            texts,
            beam_width=beam_width,
            n_best=n_best,
            return_alignments=return_alignments,
            length_penalty=length_penalty,
            batch_size=batch_size,
        )
        return as_asked(translations, n_best, return_alignments)

    def translate_n_best(
        self,
        texts: Sequence[str],
        beam_width: int = 5,
        n_best: int = 1,
        return_alignments: bool = False,
        length_penalty: float | None = None,
        batch_size: int = 64,
    ) -> tuple[list[list[Translation]], int]:
        """Like `translate`: the `Translation` lists, and how many texts were cut into parts.

        Without `return_alignments`, their `attention` is `None`: to keep the weights of every
        hypothesis takes much memory and time where sources are long.
        """
        check_texts(texts)
        if not 1 <= n_best <= beam_width:
            raise ValueError(
                "Expected 1 <= n_best <= beam_width. "
                f"Received: n_best={n_best}, beam_width={beam_width}"
            )
        if length_penalty is None:
            length_penalty = self.length_penalty
        if length_penalty < 0:
            raise ValueError(f"Expected a length_penalty of at least 0. Received: {length_penalty}")
        search = self._search(beam_width, n_best, return_alignments)
        return translate_long_texts(
            texts,
            partial(self._translate_parts, search, length_penalty, batch_size),
            encode=self.tokenizer.encode,
            max_length=self.max_length,
        )

    def score(
        self, sources: Sequence[str], targets: Sequence[str], batch_size: int = 64
    ) -> list[float]:
        """Log-probability (natural logarithm, the end token included) of each target.

        Args:
            sources: texts.
            targets: a translation of each.
            batch_size: number of pairs scored at once.

        Raises:
            ValueError: the numbers of sources and targets differ.
        """
        check_texts(sources)
        check_texts(targets)
        if len(sources) != len(targets):
            raise ValueError(
                "Expected as many targets as sources. "
                f"Received: {len(sources)} sources, {len(targets)} targets"
            )
        source_ids = [[*self.tokenizer.encode(text), END_ID] for text in sources]
        target_ids = [self.tokenizer.encode(text) for text in targets]
        scores = np.zeros(len(sources), "float32")
        lengths = [len(ids) + 1 for ids in target_ids]
        for batch in by_length(lengths, batch_size, max_tokens=SCORED_TOKENS):
            scores[batch] = self._score(
                pad_ids([source_ids[i] for i in batch]),
                pad_ids([[START_ID, *target_ids[i]] for i in batch]),
                pad_ids([[*target_ids[i], END_ID] for i in batch]),
            )
        return scores.tolist()

    def _compile_search(self, beam_width, n_best, return_alignments):
        def search(source_ids, length_penalty):
            return generation.generate(
                self.model,
                source_ids,
                special_ids=SPECIAL_IDS,
                max_target_length=self.config["max_target_length"],
                beam_width=beam_width,
                n_best=n_best,
                length_penalty=length_penalty,
                return_attention_scores=return_alignments,
            )

        return compile_for_ids(search, 1, num_numbers=1, variables=self.model.variables)

    def _translate_parts(self, search, length_penalty, batch_size, parts):
        source_ids = [[*self.tokenizer.encode(part), END_ID] for part in parts]
        translations = [None] * len(parts)
        for batch in by_length([len(ids) for ids in source_ids], batch_size):
            result = search(pad_ids([source_ids[i] for i in batch]), length_penalty)
            found = [None if field is None else convert_to_numpy(field) for field in result]
            for row, index in enumerate(batch):
                fields = (None if field is None else field[row] for field in found)
                translations[index] = read_translations(
                    self.tokenizer, source_ids[index], SearchResult(*fields)
                )
        return translations


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
