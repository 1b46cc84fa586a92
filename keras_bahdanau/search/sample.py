"""Sampling: token sequences drawn by their probability."""

from dataclasses import dataclass
from typing import Any

from keras import ops

from keras_bahdanau.backend.indexing import rows_of
from keras_bahdanau.search.next_tokens import Rules
from keras_bahdanau.search.scoring import Scoring, batch_size_of, check_at_least, length_limits
from keras_bahdanau.search.search_loop import grow


def sample(
    step,
    initial_states,
    constants=(),
    *,
    noise,
    temperature=1.0,
    top_k=0,
    top_p=1.0,
    start_id,
    end_id,
    pad_id,
    max_length,
    longest=None,
    min_length=0,
    length_penalty=1.0,
    suppressed_ids=(),
    no_repeat_ngram_size=0,
    prefix_ids=None,
    normalized=False,
):
    """Draws sequences from the model's own distribution, or from its most probable part.

    Args:
        step, initial_states, constants, start_id, end_id, pad_id, max_length, longest, min_length,
            suppressed_ids, no_repeat_ngram_size, prefix_ids, normalized: see `beam_search`.
        noise: float tensor of shape `(batch_size, samples, T)`, evenly distributed in [0, 1), T at
            least the largest `max_length`: what decides. The same noise gives the same sequences,
            whatever else is in the batch.
        temperature: positive float that logits are divided by: below 1 the probable tokens become
            more so.
        top_k: draw each token from this many most probable ones; 0 for all.
        top_p: draw each token from the fewest most probable ones whose probabilities add up to
            this much (nucleus sampling).
        length_penalty: for the order of the samples: see `beam_search`.

    Returns:
        A `SearchResult` with all samples of a sentence, in order of their scores. The
        log-probabilities are the model's, without temperature, `top_k` and `top_p`.

    Reference for `top_p`: Holtzman et al. 2020, https://arxiv.org/abs/1904.09751.
    """
    samples = ops.convert_to_tensor(noise).shape[1]
    limits, longest = length_limits(max_length, batch_size_of(initial_states), longest)
    return grow(
        step,
        initial_states,
        constants,
        start_id=start_id,
        rules=Rules(
            end_id=end_id,
            pad_id=pad_id,
            min_length=min_length,
            suppressed_ids=suppressed_ids,
            no_repeat_ngram_size=no_repeat_ngram_size,
            prefix_ids=prefix_ids,
            normalized=normalized,
        ),
        scoring=Scoring(length_penalty),
        limits=limits,
        longest=longest,
        width=samples,
        n_best=samples,
        sampling=Sampling(noise, temperature, top_k, top_p),
    )


@dataclass(frozen=True)
class Sampling:
    """How tokens are drawn.

    Args:
        noise: float tensor of shape `(batch_size, samples, T)`, evenly distributed in [0, 1): what
            decides at each position. The same noise gives the same tokens.
        temperature: positive float; logits are divided by it.
        top_k: draw from so many most probable tokens; 0 for all.
        top_p: draw from the fewest most probable tokens whose probabilities add up to this much.
    """

    noise: Any
    temperature: float = 1.0
    top_k: int = 0
    top_p: float = 1.0

    def __post_init__(self):
        check_at_least("top_k", self.top_k, 0)
        for name, most in (("temperature", float("inf")), ("top_p", 1)):
            value = getattr(self, name)
            if not 0 < value <= most:
                raise ValueError(
                    f"Argument `{name}` must be greater than 0 and at most {most}. "
                    f"Received: {name}={value}"
                )

    def count(self, logits):
        """How many candidates of logits of shape `(rows, vocabulary_size)` are needed."""
        return self.top_k or logits.shape[-1]

    def draw(self, log_probabilities, token_ids, position, slots):
        """One of each row's candidates.

        Args:
            log_probabilities: float32 tensor of shape `(rows, candidates)`, the largest first but
                for impossible ones.
            token_ids: int32 tensor of the same shape.
            position: int or scalar int tensor.
            slots: int32 tensor of shape `(rows,)`, the samples that the rows are of.

        Returns:
            Two tensors of shape `(rows, 1)`: log-probabilities, without temperature, and tokens.
        """
        noise = ops.convert_to_tensor(self.noise, dtype="float32")
        noise = ops.reshape(noise, (-1, ops.shape(noise)[-1]))
        noise = rows_of(ops.take(noise, position, axis=1), slots)[:, None]
        highest = ops.max(log_probabilities, axis=-1, keepdims=True)
        weights = ops.exp((log_probabilities - highest) / self.temperature)
        if self.top_k:
            place = ops.cumsum(ops.cast(weights > 0, "int32"), axis=-1)
            weights = ops.where(place <= self.top_k, weights, 0.0)
        if self.top_p < 1:
            before = ops.cumsum(weights, axis=-1) - weights
            enough = self.top_p * ops.sum(weights, axis=-1, keepdims=True)
            weights = ops.where(before < enough, weights, 0.0)
        sums = ops.cumsum(weights, axis=-1)
        passed = ops.sum(ops.cast(sums <= noise * sums[:, -1:], "int32"), axis=-1)
        # Where rounding makes the noise reach the sum of all: the last token of any weight.
        last = ops.sum(ops.cast(sums < sums[:, -1:], "int32"), axis=-1)
        place = ops.minimum(passed, last)[:, None]
        return (
            ops.take_along_axis(log_probabilities, place, axis=1),
            ops.take_along_axis(token_ids, place, axis=1),
        )
