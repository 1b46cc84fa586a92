"""Translator: a trained model with its tokenizer, saved in a model directory."""

import os
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import keras

from keras_bahdanau.errors import InputError
from keras_bahdanau.files import atomic_path
from keras_bahdanau.models import TranslationModel
from keras_bahdanau.text.tokenizer import END_ID, Tokenizer, check_texts
from keras_bahdanau.translation.compiled_search import CompiledSearch, sampling_key
from keras_bahdanau.translation.model_directory import (
    MODEL_FILE,
    TOKENIZER_FILE,
    read_config,
    write_config,
)
from keras_bahdanau.translation.result import (
    Translation,
    translate_long_texts,
    translations_from_search,
)
from keras_bahdanau.translation.search_options import SearchOptions
from keras_bahdanau.translation.text_translator import BATCH_SIZE, TextTranslator, check_pairs

DEFAULT_MAX_LENGTH = 128


class Translator(TextTranslator):
    """Translates text with a trained `TranslationModel`, on any backend of Keras.

    `translate` and `score` are described by the protocol, `TextTranslator`. Any search can be
    chosen in each call: all fields of `SearchOptions` are options of `translate`.

    Args:
        model: a `TranslationModel`.
        tokenizer: the `Tokenizer` whose ids it was trained on.
        config: dict with `max_length`, the limit of a source in pieces (the end token included),
            and `max_target_length`, the limit of a translation in tokens. Other entries are kept.
        ensemble: other translators with the same tokenizer. The log-probability of a token is the
            mean over all models.

    Raises:
        ValueError: model and tokenizer have vocabularies of different sizes, or a translator of
            the ensemble has another tokenizer.

    Example:

    >>> translator = Translator.load("my-model")
    >>> translator.translate(["A dog runs."])
    ['Ein Hund rennt.']
    """

    def __init__(
        self,
        model: TranslationModel,
        tokenizer: Tokenizer,
        config: dict | None = None,
        ensemble: Sequence["Translator"] = (),
    ):
        if model.encoder.vocabulary_size != tokenizer.vocabulary_size:
            raise ValueError(
                "Expected the tokenizer of the model. Received: a tokenizer of "
                f"{tokenizer.vocabulary_size} pieces, a model of {model.encoder.vocabulary_size}"
            )
        for other in ensemble:
            if other.tokenizer.model_bytes != tokenizer.model_bytes:
                raise ValueError(
                    "Expected translators with the same tokenizer in an ensemble: trained on the "
                    "same text with the same vocabulary size. Received: another tokenizer"
                )
        limits = {"max_length": DEFAULT_MAX_LENGTH, "max_target_length": 2 * DEFAULT_MAX_LENGTH}
        self.model = model
        self.tokenizer = tokenizer
        self.config = {**limits, **(config or {})}
        models = [model, *(each.model for each in ensemble)]
        self._compiled = CompiledSearch(models, self.config["max_target_length"])

    @classmethod
    def load(
        cls, directory: str | os.PathLike, ensemble: Sequence[str | os.PathLike] = ()
    ) -> "Translator":
        """Reads a trained model directory. Nothing in it is run as code.

        Args:
            directory: the directory.
            ensemble: directories of other models with the same tokenizer, averaged with it.

        Raises:
            InputError: there is no model directory, or it is unfinished, damaged, or of a newer
                version.
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
            return cls(model, tokenizer, config, [cls.load(other) for other in ensemble])
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
        """The limit of a source in pieces, the end token included: longer texts are split."""
        return self.config["max_length"]

    @property
    def is_ensemble(self) -> bool:
        """Whether several models are averaged."""
        return len(self._compiled.models) > 1

    @property
    def options(self) -> SearchOptions:
        """The options of a call that gives none."""
        return SearchOptions(length_penalty=self.length_penalty)

    @property
    def length_penalty(self) -> float:
        """The default exponent of length normalization, chosen in training."""
        return self.config.get("length_penalty", 1.0)

    def translate_n_best(
        self,
        texts: Sequence[str],
        *,
        n_best: int = 1,
        return_alignments: bool = False,
        prefixes: Sequence[str] | None = None,
        batch_size: int | None = None,
        **options,
    ) -> tuple[list[list[Translation]], int]:
        """See `TextTranslator`; `options` are all other fields of `SearchOptions`.

        Raises:
            InputError: also where `n_best` is larger than `beam_width`, or a banned piece is not in
                the vocabulary.
        """
        check_texts(texts)
        if prefixes is not None:
            check_texts(prefixes)
            if len(prefixes) != len(texts):
                raise InputError(
                    "Expected as many prefixes as texts. "
                    f"Received: {len(prefixes)} prefixes, {len(texts)} texts"
                )
        options = SearchOptions(n_best=n_best, **options)
        batch_size = BATCH_SIZE if batch_size is None else batch_size
        return translate_long_texts(
            texts,
            partial(self._translate_parts, options, return_alignments, batch_size),
            encode=self.tokenizer.encode,
            max_length=self.max_length,
            prefixes=prefixes,
        )

    def score(
        self, sources: Sequence[str], targets: Sequence[str], batch_size: int | None = None
    ) -> list[float]:
        """See `TextTranslator`. Pairs of any length are scored whole."""
        check_pairs(sources, targets)
        source_ids = [[*self.tokenizer.encode(text), END_ID] for text in sources]
        target_ids = [self.tokenizer.encode(text) for text in targets]
        batch_size = BATCH_SIZE if batch_size is None else batch_size
        return self._compiled.score(source_ids, target_ids, batch_size).tolist()

    def _translate_parts(self, options, return_alignments, batch_size, parts, prefixes):
        source_ids = [[*self.tokenizer.encode(part), END_ID] for part in parts]
        penalty = self.length_penalty if options.length_penalty is None else options.length_penalty
        translations = [None] * len(parts)
        for index, found in self._compiled.search(
            source_ids,
            # Another penalty or seed needs no new compilation.
            replace(options, length_penalty=None, seed=0),
            length_penalty=penalty,
            banned_ids=self.tokenizer.ids_of(options.banned_pieces),
            prefix_ids=None if prefixes is None else [*map(self.tokenizer.encode, prefixes)],
            keys=[sampling_key(part, options.seed) for part in parts],
            return_attention_scores=return_alignments,
            batch_size=batch_size,
        ):
            translations[index] = translations_from_search(self.tokenizer, source_ids[index], found)
        return translations
