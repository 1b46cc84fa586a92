"""Search and scoring of token ids, compiled and batched by length."""

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

# Tokens in a batch of scoring: its logits take this times the size of the vocabulary in memory.
SCORED_TOKENS = 8192
# Random numbers are drawn as integers below this: float32 represents each of them exactly.
NOISE_LEVELS = 1 << 24


class CompiledSearch:
    """`generate` and `score`, compiled at first use and kept for further calls.

    Batches run in parallel threads, on all cores.

    Args:
        models: list of `TranslationModel` of one vocabulary; several are an ensemble: see
            `generate`.
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
        """Searches for translations, in batches of similar lengths.

        Args:
            source_ids: list of lists of ids, each with the end token.
            options: `SearchOptions`; `length_penalty` and `seed` are read from the arguments below,
                and must be the same in all calls for the compiled search to be found again.
            length_penalty: float.
            banned_ids: tuple of the ids that no translation has.
            prefix_ids: list of lists of ids, the forced prefix of each translation; or `None`.
            keys: list of int: key of the random numbers of each source, with `options.sample`.
            return_attention_scores: whether to return attention weights.
            batch_size: number of sources in a batch.

        Yields:
            `(index, result)`: the index of a source, and its row of a `SearchResult` of NumPy
            arrays; longest sources first.
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
                arguments.append(np.stack([random_integers(keys[i], count) for i in batch]))
            result = search(*arguments, length_penalty)
            return [None if field is None else ops.convert_to_numpy(field) for field in result]

        # PyTorch runs operation by operation from Python, under the global interpreter lock.
        threads = 1 if keras.backend.backend() == "torch" else available_cores()
        all_found = map_in_threads(search_batch, batches, threads)
        for batch, found in zip(batches, all_found, strict=True):
            for row, index in enumerate(batch):
                fields = (None if field is None else field[row] for field in found)
                yield index, SearchResult(*fields)

    def score(self, source_ids, target_ids, batch_size):
        """Log-probability of each target, float32 array of shape `(len(target_ids),)`.

        Args:
            source_ids: list of lists of ids, each with the end token.
            target_ids: list of lists of ids, without it.
            batch_size: number of pairs in a batch, at most.
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
                given["noise"] = uniform_noise(others.pop(0), options.n_best)
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
    """Key of the random numbers of a text: they depend on the text and the seed alone."""
    return (zlib.crc32(text.encode("utf-8")) << 32) + seed


def random_integers(key: int, count: int) -> np.ndarray:
    """int32 array of shape `(count,)`, below `NOISE_LEVELS`; a larger count only appends."""
    numbers = np.random.Generator(np.random.Philox(key=key)).random(count)
    return (numbers * NOISE_LEVELS).astype("int32")


def uniform_noise(integers, samples):
    """Uniform noise in [0, 1) of shape `(batch_size, samples, T)` from `random_integers`."""
    longest = ops.shape(integers)[1] // samples
    noise = ops.cast(integers[:, : longest * samples], "float32") / NOISE_LEVELS
    return ops.transpose(ops.reshape(noise, (-1, longest, samples)), (0, 2, 1))
