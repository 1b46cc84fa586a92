"""What a search returns."""

from typing import Any, NamedTuple


class SearchResult(NamedTuple):
    """The hypotheses of each sentence, best first.

    Shapes: `n` is the number of hypotheses kept for each sentence (1 after greedy search), `T` is
    the largest `max_length` of the batch, `S` is the source length that `step` attended to.

    Attributes:
        token_ids: int32 tensor of shape `(batch_size, n, T)`: the generated tokens, the end token
            included where it was generated, then `pad_id`.
        lengths: int32 tensor of shape `(batch_size, n)`: the number of generated tokens.
        log_probabilities: float32 tensor of shape `(batch_size, n)`: the sum of the natural
            logarithms of the generated tokens' probabilities, over the whole vocabulary.
        scores: float32 tensor of shape `(batch_size, n)`: what the hypotheses are ordered by,
            `log_probability / length ** length_penalty` unless asked otherwise.
        attention_scores: float32 tensor of shape `(batch_size, n, T, S)`: the attention weights
            with which each token was generated, zeros after the last one; or `None` when `step`
            returns none.

    A sentence with fewer than `n` possible hypotheses (a tiny vocabulary, a small `max_length`)
    has empty ones at the end: only padding, length 0, log-probability and score -1e9.
    """

    token_ids: Any
    lengths: Any
    log_probabilities: Any
    scores: Any
    attention_scores: Any = None
