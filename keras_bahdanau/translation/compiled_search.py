"""What a translator computes of token ids, compiled: searches and scores."""

import zlib
from functools import lru_cache, partial

import keras
import numpy as np
from keras import ops

from keras_bahdanau.backend.compilation import compile_for_ids
from keras_bahdanau.concurrency import available_cores, map_in_threads
from keras_bahdanau.search import SearchResult
from keras_bahdanau.text.tokenizer import END_ID, PAD_ID, SPECIAL_IDS, START_ID, by_length, pad_ids
from keras_bahdanau.translation.generate import generate, longest_target, score

# What bounds the memory of scoring, whose logits hold the whole vocabulary for each target token.
SCORED_TOKENS = 8192
# Noise comes as one of so many numbers, which float32 tells apart.
NOISE_LEVELS = 1 << 24


class TranslationOnIds:
    """Searches and scores with the ids of one tokenizer.

    Args:
        models: list of `TranslationModel`; several are averaged: see `generate`.
        max_target_length: the limit of a translation in tokens.
    """

    def __init__(self, models, max_target_length):
        self.models = models
        self.max_target_length = max_target_length
        self._variables = [variable for model in models for variable in model.variables]
        self._search = lru_cache(maxsize=8)(self._compile_search)
        self._score = compile_for_ids(
            partial(score, models, pad_id=PAD_ID), 3, variables=self._variables
        )

    def search(
        self,
        source_ids,
        options,
        *,
        length_penalty,
        banned_ids,
        prefix_ids,
        keys,
        return_attention_scores,
        batch_size,
    ):
        """Searches for translations, sources of like lengths at once.

        Args:
            source_ids: list of lists of ids, each with the end token.
            options: `SearchOptions` whose own penalty and seed do not matter.
            length_penalty: float.
            banned_ids: tuple of ids.
            prefix_ids: list of lists of ids, or `None`.
            keys: what samples are drawn by, an int for each source.
            return_attention_scores: whether to keep the attention.
            batch_size: number of sources at once.

        Yields:
            The index of a source, and its row of a `SearchResult` of NumPy arrays.
        """
        search = self._search(options, banned_ids, return_attention_scores, prefix_ids is not None)
        batches = by_length([len(ids) for ids in source_ids], batch_size)

        def search_batch(batch):
            arguments = [pad_ids([source_ids[i] for i in batch])]
            if prefix_ids is not None:
                arguments.append(pad_ids([prefix_ids[i] for i in batch]))
            if options.sample:
                widths = [array.shape[1] for array in arguments]
                longest = longest_target(options, widths, self.max_target_length)
                count = longest * options.n_best
                arguments.append(np.stack([drawn_numbers(keys[i], count) for i in batch]))
            result = search(*arguments, length_penalty)
            return [None if field is None else ops.convert_to_numpy(field) for field in result]

        # PyTorch runs each operation from Python, which has one thread at a time.
        threads = 1 if keras.backend.backend() == "torch" else available_cores()
        all_found = map_in_threads(search_batch, batches, threads)
        for batch, found in zip(batches, all_found, strict=True):
            for row, index in enumerate(batch):
                fields = (None if field is None else field[row] for field in found)
                yield index, SearchResult(*fields)

    def score(self, source_ids, target_ids, batch_size):
        """Log-probabilities of targets, an array of float32.

        Args:
            source_ids: list of lists of ids, each with the end token.
            target_ids: list of lists of ids, without it.
            batch_size: number of pairs at once.
        """
        scores = np.zeros(len(source_ids), "float32")
        lengths = [len(ids) + 1 for ids in target_ids]
        for batch in by_length(lengths, batch_size, max_tokens=SCORED_TOKENS):
            scores[batch] = self._score(
                pad_ids([source_ids[i] for i in batch]),
                pad_ids([[START_ID, *target_ids[i]] for i in batch]),
                pad_ids([[*target_ids[i], END_ID] for i in batch]),
            )
        return scores

    def _compile_search(self, options, banned_ids, return_attention_scores, has_prefixes):
        def search(source_ids, *others):
            others, given = list(others), {}
            if has_prefixes:
                given["prefix_ids"] = others.pop(0)
            if options.sample:
                given["noise"] = noise_of(others.pop(0), options.n_best)
            return generate(
                self.models,
                source_ids,
                options,
                special_ids=SPECIAL_IDS,
                max_target_length=self.max_target_length,
                length_penalty=others.pop(),
                banned_ids=banned_ids,
                return_attention_scores=return_attention_scores,
                **given,
            )

        num_ids = 1 + has_prefixes + options.sample
        return compile_for_ids(search, num_ids, num_numbers=1, variables=self._variables)


def sampling_key(text: str, seed: int) -> int:
    """What the samples of a text are drawn by: the text and a seed, and nothing around it."""
    return (zlib.crc32(text.encode("utf-8")) << 32) + seed


def drawn_numbers(key: int, count: int) -> np.ndarray:
    """int32 array of shape `(count,)`: the same key gives the same numbers, however many."""
    numbers = np.random.Generator(np.random.Philox(key=key)).random(count)
    return (numbers * NOISE_LEVELS).astype("int32")


def noise_of(numbers, samples):
    """Noise of shape `(batch_size, samples, T)` of drawn numbers, position by position."""
    longest = ops.shape(numbers)[1] // samples
    noise = ops.cast(numbers[:, : longest * samples], "float32") / NOISE_LEVELS
    return ops.transpose(ops.reshape(noise, (-1, longest, samples)), (0, 2, 1))
