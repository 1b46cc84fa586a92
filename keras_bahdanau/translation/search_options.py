"""What can be chosen for a search, with the names of the field. Imports nothing heavy."""

from dataclasses import dataclass

from keras_bahdanau.errors import InputError
from keras_bahdanau.options import check_options, option


@dataclass(frozen=True)
class SearchOptions:
    """How translations are searched for. Lengths are in tokens, with the end token.

    Raises:
        InputError: a value is out of its range.
    """

    beam_width: int = option(5, "hypotheses kept; 1 is greedy search", least=1)
    n_best: int = option(1, "translations of each text, at most as many as hypotheses", least=1)
    length_penalty: float | None = option(
        None,
        "alpha: hypotheses are ranked by their log-probability divided by their length to this "
        "power; what training has chosen if none is given",
        least=0,
    )
    length_penalty_type: str = option(
        "average",
        "what alpha is the power of: the length, or (5 + length) / 6 (Wu et al. 2016)",
        choices=("average", "wu"),
    )
    coverage_penalty: float = option(
        0.0,
        "beta: what a source token lacks of an attention of 1 in sum counts against a hypothesis, "
        "as the logarithm (Wu et al. 2016)",
        least=0,
    )
    min_length: int = option(0, "fewest tokens before the end token", least=0)
    max_length: int | None = option(
        None, "most tokens; twice the model's limit of a source if none is given", least=1
    )
    min_length_ratio: float = option(
        0.0, "fewest tokens before the end token, times those of the source", least=0
    )
    max_length_ratio: float = option(
        2.0, "most tokens, times those of the source (and 10 more)", least=0
    )
    no_repeat_ngram_size: int = option(
        0, "n of the n-grams that a translation has once at most; 0 for no such rule", least=0
    )
    banned_pieces: tuple[str, ...] = option(
        (),
        "a piece of the vocabulary that no translation has, such as ▁Hund; may be repeated",
    )
    allow_unknown: bool = option(False, "let the unknown token be generated")
    sample: bool = option(
        False, "draw tokens at random: n_best samples of each text in place of a search"
    )
    temperature: float = option(
        1.0, "of the draw: below 1 the probable tokens become more probable", least=1e-3
    )
    top_k: int = option(0, "draw from so many most probable tokens; 0 for all", least=0)
    top_p: float = option(
        1.0,
        "draw from the fewest most probable tokens that have this probability in sum",
        least=1e-6,
        most=1,
    )
    seed: int = option(0, "of the draw: the same seed and text give the same samples", least=0)

    def __post_init__(self):
        object.__setattr__(self, "banned_pieces", tuple(self.banned_pieces))
        check_options(self)
        if not self.sample and self.n_best > self.beam_width:
            raise InputError(
                "Expected n_best of at most beam_width. "
                f"Received: n_best={self.n_best}, beam_width={self.beam_width}"
            )
