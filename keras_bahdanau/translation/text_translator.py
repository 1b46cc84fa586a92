"""The protocol of every translator: a trained model, its exports, and a server's client."""

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from keras_bahdanau.errors import InputError
from keras_bahdanau.translation.result import Translation
from keras_bahdanau.translation.search_options import SearchOptions

BATCH_SIZE = 64


@runtime_checkable
class TextTranslator(Protocol):
    """Text in, translations out, on any runtime.

    `keras_bahdanau.open_translator` returns one of four:

    | class | translates with | its search |
    |---|---|---|
    | `Translator` | a trained model directory, by Keras | any, chosen in each call |
    | `export.SavedModelTranslator` | a SavedModel, by TensorFlow | fixed in the export |
    | `export.LiteRTTranslator` | a LiteRT directory, by LiteRT | fixed, or greedy |
    | `serving.ServedTranslator` | a SavedModel on TensorFlow Serving | fixed in the export |

    They inherit from this class, which implements `translate`, so that code written for one runs
    with the others. Your own translator needs `translate_n_best` and the two attributes.

    Attributes:
        max_length: the limit of a source in pieces, the end token included: longer texts are
            split. `None` where only the server knows it.
        options: the `SearchOptions` of a call that gives none; an export's `n_best` is the most
            that it returns. `None` where only the server knows them.

    Example:

    >>> translator = keras_bahdanau.open_translator("my-model")
    >>> translator.translate(["A dog runs."])
    ['Ein Hund rennt.']
    >>> best, _ = translator.translate(["A dog runs."], n_best=2)[0]
    """

    max_length: int | None
    options: SearchOptions | None

    def translate(
        self,
        texts: Sequence[str],
        *,
        n_best: int = 1,
        return_alignments: bool = False,
        prefixes: Sequence[str] | None = None,
        batch_size: int | None = None,
        beam_width: int | None = None,
        length_penalty: float | None = None,
        length_penalty_type: str | None = None,
        coverage_penalty: float | None = None,
        min_length: int | None = None,
        max_length: int | None = None,
        min_length_ratio: float | None = None,
        max_length_ratio: float | None = None,
        no_repeat_ngram_size: int | None = None,
        banned_pieces: Sequence[str] | None = None,
        allow_unknown: bool | None = None,
        sample: bool | None = None,
        temperature: float | None = None,
        top_k: int | None = None,
        top_p: float | None = None,
        seed: int | None = None,
    ) -> list:
        """Translates texts.

        A text longer than the model's limit is split at sentence ends (else at spaces), translated
        part by part and joined. A blank text has a blank translation.

        Args:
            texts: the texts.
            n_best: number of translations of each text.
            return_alignments: whether to return `Translation` objects, with log-probability,
                pieces and attention weights, instead of strings.
            prefixes: forced prefix of each translation: a text for each, which may be blank; or
                `None`. For a `Translator` alone.
            batch_size: number of texts searched at once; `None` for the translator's own.
            beam_width, length_penalty, ..., seed: the fields of `SearchOptions`; `None` for the
                translator's own. Those of an export are fixed: it takes only the values that it
                has.

        Returns:
            A list with one string (or `Translation`) for each text; with `n_best` over 1 a list
            of lists, best first.

        Raises:
            InputError: an option is out of its range, or is another than the one fixed in the
                export; there are not as many prefixes as texts; `return_alignments` of an export
                without attention weights.
            TypeError: `texts` is one string, or not all of it are strings; there is no
                such option.
        """
        options = {
            "beam_width": beam_width,
            "length_penalty": length_penalty,
            "length_penalty_type": length_penalty_type,
            "coverage_penalty": coverage_penalty,
            "min_length": min_length,
            "max_length": max_length,
            "min_length_ratio": min_length_ratio,
            "max_length_ratio": max_length_ratio,
            "no_repeat_ngram_size": no_repeat_ngram_size,
            "banned_pieces": banned_pieces,
            "allow_unknown": allow_unknown,
            "sample": sample,
            "temperature": temperature,
            "top_k": top_k,
            "top_p": top_p,
            "seed": seed,
        }
        translations, _ = self.translate_n_best(
            texts,
            n_best=n_best,
            return_alignments=return_alignments,
            prefixes=prefixes,
            batch_size=batch_size,
            **{name: value for name, value in options.items() if value is not None},
        )
        if not return_alignments:
            translations = [[each.text for each in ranked] for ranked in translations]
        return translations if n_best > 1 else [ranked[0] for ranked in translations]

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
        """Like `translate`: the n-best list of each text, and how many texts were split.

        `options` are the given fields of `SearchOptions`, as in `translate`.
        Without `return_alignments`, `attention` may be `None`: the weights of every hypothesis
        take much memory and time where sources are long.
        """
        ...

    def score(
        self, sources: Sequence[str], targets: Sequence[str], batch_size: int | None = None
    ) -> list[float]:
        """Log-probability (natural logarithm, the end token included) of each target.

        Args:
            sources: texts.
            targets: a translation of each.
            batch_size: number of pairs scored at once; `None` for the translator's own.

        Raises:
            InputError: the numbers of sources and targets differ; this kind of translator does
                not score.
        """
        raise InputError(
            "Expected a trained model directory, a SavedModel or a server to score with. "
            f"Received: a {type(self).__name__}"
        )


def check_fixed_options(fixed: SearchOptions, options: dict, prefixes: Sequence[str] | None):
    """Raises InputError if a call asks for another search than the one fixed in an export.

    Args:
        fixed: the options of the export.
        options: those of the call, without `n_best`; `None` stands for the fixed one.
        prefixes: the forced prefixes of the call, which no export takes.

    Raises:
        TypeError: there is no such option.
    """
    options = {name: value for name, value in options.items() if value is not None}
    asked = SearchOptions(**options)
    for name, value in options.items():
        expected = getattr(fixed, name)
        if getattr(asked, name) != expected:
            raise InputError(f"Expected {name} {expected}, fixed in the export. Received: {value}")
    if prefixes is not None:
        raise InputError("Expected a trained model directory with prefixes. Received: an export")


def check_pairs(sources: Sequence[str], targets: Sequence[str]):
    """Raises TypeError or InputError unless there is a target text for each source text."""
    # SentencePiece is imported with it, which the protocol does not need.
    from keras_bahdanau.text.tokenizer import check_texts

    check_texts(sources)
    check_texts(targets)
    if len(sources) != len(targets):
        raise InputError(
            "Expected as many targets as sources. "
            f"Received: {len(sources)} sources, {len(targets)} targets"
        )


def check_scored_whole(sources: Sequence[str], is_cut: Sequence[bool]):
    """Raises InputError if an exported model has cut a text of a pair that it scored.

    Args:
        sources: the source of each pair.
        is_cut: output of the signature `score` for each pair.
    """
    for source, cut in zip(sources, is_cut, strict=True):
        if cut:
            raise InputError(
                "Expected texts within the limits of the export to score. "
                f"Received: a longer one in the pair of {source[:60]!r}"
            )
