"""Translates with a SavedModel on TensorFlow Serving, over gRPC."""

from collections.abc import Sequence

import numpy as np

from keras_bahdanau.errors import InputError
from keras_bahdanau.serving.channel import PredictionChannel
from keras_bahdanau.text.splitting import split_text
from keras_bahdanau.text.tokenizer import by_length, check_texts
from keras_bahdanau.translation.result import (
    BLANK,
    Translation,
    join_translations,
    translation_from_signature,
)
from keras_bahdanau.translation.search_options import SearchOptions
from keras_bahdanau.translation.text_translator import (
    TextTranslator,
    check_pairs,
    check_scored_whole,
)

# The largest batch of the warm-up requests and of the example's server configuration.
BATCH_SIZE = 32


class ServedTranslator(TextTranslator):
    """Translates text with a model that `export_saved_model` wrote, on TensorFlow Serving.

    `translate` and `score` are described by the protocol, `TextTranslator`. The search is fixed in
    the export. Texts of similar lengths go together in requests of `batch_size`, several at once.
    The server truncates a text over the model's limit and reports it (`is_cut`); it is then split
    at sentence ends (else at spaces), translated part by part and joined.

    Args:
        server: `host:port` of the server's gRPC port (8500 by default).
        model_name: the name of the model on the server.
        version: the version of the model; the one that the server prefers unless given.
        timeout: seconds for a request, with all its attempts.
        attempts: maximum number of attempts for a request while the server is unavailable or
            busy.

    Attributes:
        max_length, options: `None`, because only the server knows them.

    Example:

    >>> with ServedTranslator("localhost:8500") as translator:
    ...     translator.translate(["A dog runs."])
    ['Ein Hund rennt.']
    """

    max_length = None
    options = None

    def __init__(
        self,
        server: str,
        model_name: str = "translator",
        *,
        version: int | None = None,
        timeout: float = 60.0,
        attempts: int = 5,
    ):
        self._channel = PredictionChannel(server, model_name, version, timeout, attempts)

    def __enter__(self) -> "ServedTranslator":
        return self

    def __exit__(self, *error):
        self.close()

    def close(self):
        """Closes the connection."""
        self._channel.close()

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
        """See `TextTranslator`. `n_best` is the only search option.

        Raises:
            InputError: also where the server has no such model, or one of other signatures.
            ConnectionError: the server cannot be reached.
            TimeoutError: a request took too long.
        """
        check_texts(texts)
        options = {name: value for name, value in options.items() if value is not None}
        # Raises for unknown options and values. Which values the export has, only the server knows.
        SearchOptions(**options)
        if given := [*options, *(["prefixes"] if prefixes is not None else [])]:
            raise InputError(
                "Expected no search option but n_best: the others are fixed in the served model. "
                f"Received: {given[0]}"
            )
        if n_best < 1:
            raise InputError(f"Expected n_best of at least 1. Received: {n_best}")
        batch_size = BATCH_SIZE if batch_size is None else batch_size
        is_simple = n_best == 1 and not return_alignments
        read = _read_best if is_simple else _read_n_best(n_best)
        signature = "serving_default" if is_simple else "translate_n_best"
        # Parts of each text, and the translations of each part once the server has answered.
        parts = [[text] if text.strip() else [] for text in texts]
        found = {}
        while missing := list({part for each in parts for part in each} - found.keys()):
            missing.sort()
            batches = by_length([len(text) for text in missing], batch_size)
            requests = [{"text": [missing[index] for index in batch]} for batch in batches]
            answers = self._channel.predict_all(signature, requests)
            for request, outputs in zip(requests, answers, strict=True):
                for row, text in enumerate(request["text"]):
                    found[text] = _CUT if _is_cut(outputs, row, text) else read(outputs, row)
            parts = [_with_halves(each, found) for each in parts]
        joined = [
            [join_translations(rank) for rank in zip(*map(found.get, each), strict=True)]
            or [BLANK] * n_best
            for each in parts
        ]
        return joined, sum(len(each) > 1 for each in parts)

    def score(
        self, sources: Sequence[str], targets: Sequence[str], batch_size: int | None = None
    ) -> list[float]:
        """See `TextTranslator`.

        Raises:
            InputError: also where a text is longer than the limit of the model, which cuts it.
            ConnectionError: the server cannot be reached.
            TimeoutError: a request took too long.
        """
        check_pairs(sources, targets)
        scores = np.zeros(len(sources), "float32")
        lengths = [max(map(len, pair)) for pair in zip(sources, targets, strict=True)]
        batches = by_length(lengths, BATCH_SIZE if batch_size is None else batch_size)
        requests = [
            {
                "source": [sources[index] for index in batch],
                "target": [targets[index] for index in batch],
            }
            for batch in batches
        ]
        answers = self._channel.predict_all("score", requests)
        for batch, outputs in zip(batches, answers, strict=True):
            check_scored_whole([sources[index] for index in batch], outputs["is_cut"])
            scores[batch] = outputs["log_probability"]
        return scores.tolist()


# Replaces the translations of a text that the server truncated.
_CUT = object()


def _is_cut(outputs, row, text):
    # One character cannot be split further.
    return outputs["is_cut"][row] and len(text.strip()) > 1


def _with_halves(parts, found):
    """The parts of a text, each that the server cut split in half."""
    halves = []
    for part in parts:
        if found[part] is _CUT:
            halves += split_text(part, len, -(-len(part) // 2))
        else:
            halves.append(part)
    return halves


def _read_best(outputs, row):
    text = outputs["translation"][row].decode()
    return [Translation(text, float(outputs["log_probability"][row]))]


def _read_n_best(n_best):
    def read(outputs, row):
        served = len(outputs["translation"][row])
        if n_best > served:
            raise InputError(
                f"Expected n_best of at most {served}, as exported. Received: {n_best}"
            )
        return [translation_from_signature(outputs, row, rank) for rank in range(n_best)]

    return read
