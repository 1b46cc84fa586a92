"""Translates with a SavedModel that TensorFlow Serving runs somewhere else."""

from collections.abc import Sequence

from keras_bahdanau.errors import InputError
from keras_bahdanau.serving.channel import PredictionChannel
from keras_bahdanau.text.splitting import split_text
from keras_bahdanau.text.tokenizer import by_length, check_texts
from keras_bahdanau.translation.result import (
    BLANK,
    Translation,
    as_asked,
    join_translations,
    read_served_translation,
)


class ServedTranslator:
    """Translates texts by the signatures of a model that `export_saved_model` wrote.

    Texts of like lengths go together in requests of `batch_size`, of which several are under way
    at once. The server cuts a text that is longer than the model's limit and says so; here it is
    then cut at sentence ends (else at spaces), translated part by part and joined. The search is
    the one of the export.

    Args:
        server: `host:port` of the server's gRPC port (8500 unless it was given another).
        model_name: the name under which it serves the model.
        version: the version of the model; the one that the server prefers unless given.
        timeout: seconds until a request is given up, with all its attempts.
        attempts: how often a request is tried where the server cannot be reached or is busy.

    Example:

    >>> with ServedTranslator("localhost:8500") as translator:
    ...     translator.translate(["A dog runs."])
    ['Ein Hund rennt.']
    """

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

    def translate(
        self,
        texts: Sequence[str],
        n_best: int = 1,
        return_alignments: bool = False,
        batch_size: int = 32,
    ) -> list:
        """Translates texts: see `Translator.translate`.

        Raises:
            InputError: the model is not there or no export of this package, or has fewer
                translations of a text than `n_best`.
            ConnectionError: the server cannot be reached.
            TimeoutError: it took too long.
            TypeError: `texts` is one string, or holds something that is no string.
        """
        translations, _ = self.translate_n_best(
            texts, n_best=n_best, return_alignments=return_alignments, batch_size=batch_size
        )
        return as_asked(translations, n_best, return_alignments)

    def translate_n_best(
        self,
        texts: Sequence[str],
        *,
        n_best: int = 1,
        return_alignments: bool = False,
        batch_size: int = 32,
    ) -> tuple[list[list[Translation]], int]:
        """Like `translate`: the `Translation` lists, and how many texts were cut into parts."""
        check_texts(texts)
        is_simple = n_best == 1 and not return_alignments
        read = _read_best if is_simple else _read_n_best(n_best)
        signature = "serving_default" if is_simple else "translate_n_best"
        # Of each text its parts, and of each part, once it is there, its translations.
        parts = [[text] if text.strip() else [] for text in texts]
        found = {}
        while missing := list({part for each in parts for part in each} - found.keys()):
            missing.sort()
            batches = by_length([len(text) for text in missing], batch_size)
            batches = [[missing[index] for index in batch] for batch in batches]
            for batch, outputs in zip(
                batches, self._channel.predict_all(signature, batches), strict=True
            ):
                for row, text in enumerate(batch):
                    found[text] = _Cut if _is_cut(outputs, row, text) else read(outputs, row)
            parts = [_with_halves(each, found) for each in parts]
        joined = [
            [join_translations(rank) for rank in zip(*map(found.get, each), strict=True)]
            or [BLANK] * n_best
            for each in parts
        ]
        return joined, sum(len(each) > 1 for each in parts)


_Cut = object()


def _is_cut(outputs, row, text):
    # Nothing shorter than two characters can be cut in two.
    return outputs["is_cut"][row] and len(text.strip()) > 1


def _with_halves(parts, found):
    """The parts of a text, with two or three in place of each that the server had to cut."""
    halves = []
    for part in parts:
        if found[part] is _Cut:
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
        return [read_served_translation(outputs, row, rank) for rank in range(n_best)]

    return read
