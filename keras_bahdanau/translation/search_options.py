"""`SearchOptions`: beam search, length penalties, token constraints and sampling."""

from dataclasses import dataclass

from keras_bahdanau.errors import InputError
from keras_bahdanau.options import check_options, option


@dataclass(frozen=True)
class SearchOptions:
    """Options of beam search and sampling. Lengths are in tokens, the end token included.

    Raises:
        InputError: a value is out of its range, or `n_best` larger than `beam_width`.
    """

    beam_width: int = option(5, "hypotheses in the beam; 1 is greedy search", least=1)
    n_best: int = option(1, "translations of each text, at most the beam width", least=1)
    length_penalty: float | None = option(
        None,
        "alpha of length normalization: log-probabilities are divided by length ** alpha "
        "(default: the value chosen in training)",
        least=0,
    )
    length_penalty_type: str = option(
        "average",
        "base of the length normalization: length, or (5 + length) / 6 (Wu et al. 2016)",
        choices=("average", "wu"),
    )
    coverage_penalty: float = option(
        0.0,
        "beta of the coverage penalty: penalizes source tokens whose attention sums to less than 1 "
        "(Wu et al. 2016)",
        least=0,
    )
    min_length: int = option(0, "minimum number of tokens before the end token", least=0)
    max_length: int | None = option(
        None, "maximum number of tokens (default: twice the model's source limit)", least=1
    )
    min_length_ratio: float = option(
        0.0,
        "minimum number of tokens before the end token, as a ratio to the source length",
        least=0,
    )
    max_length_ratio: float = option(
        2.0, "maximum number of tokens, as a ratio to the source length (plus 10)", least=0
    )
    no_repeat_ngram_size: int = option(
        0, "n-gram blocking: no n-gram of this size occurs twice; 0 turns it off", least=0
    )
    banned_pieces: tuple[str, ...] = option(
        (),
        "a piece of the vocabulary to suppress, such as ▁Hund; may be repeated",
    )
    allow_unknown: bool = option(False, "do not suppress the unknown token")
    sample: bool = option(
        False, "sample tokens at random: n_best samples of each text in place of beam search"
    )
    temperature: float = option(
        1.0, "sampling temperature: below 1, probable tokens become more probable", least=1e-3
    )
    top_k: int = option(0, "sample from the k most probable tokens; 0 for all", least=0)
    top_p: float = option(
        1.0,
        "nucleus sampling: from the fewest tokens whose probabilities sum to p",
        least=1e-6,
        most=1,
    )
    seed: int = option(0, "random seed: the same seed and text give the same samples", least=0)

    def __post_init__(self):
        object.__setattr__(self, "banned_pieces", tuple(self.banned_pieces))
        check_options(self)
        if not self.sample and self.n_best > self.beam_width:
            raise InputError(
                "Expected n_best of at most beam_width. "
                f"Received: n_best={self.n_best}, beam_width={self.beam_width}"
            )
