"""Sampling with temperature, top-k and top-p (nucleus)."""

from dataclasses import dataclass
from typing import Any

from keras import ops

from keras_bahdanau.backend.indexing import rows_of
from keras_bahdanau.search.next_tokens import TokenConstraints
from keras_bahdanau.search.scoring import Scoring, batch_size_of, check_at_least, length_limits
from keras_bahdanau.search.search_loop import run_search


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
    """Draws sequences from the model's distribution, token by token.

    Args:
        step, initial_states, constants, start_id, end_id, pad_id, max_length, longest, min_length,
            suppressed_ids, no_repeat_ngram_size, prefix_ids, normalized: see `beam_search`.
        noise: float tensor of shape `(batch_size, samples, T)`, uniform in [0, 1), T at least the
            largest `max_length`: the random numbers of all draws. The same noise gives the same
            sequences, whatever else is in the batch.
        temperature: positive float that divides the logits: below 1 the distribution is sharper,
            above 1 flatter.
        top_k: non-negative int: draw from the k most probable tokens; 0 for all.
        top_p: float in (0, 1]: draw from the smallest set of most probable tokens whose
            probabilities add up to it (nucleus sampling).
        length_penalty: for the order of the samples: see `beam_search`.

    Returns:
        A `SearchResult` with all samples of a sentence, in order of their scores. The
        log-probabilities are the model's, without temperature, `top_k` and `top_p`.

    Raises:
        ValueError: an argument is out of range, or see `beam_search`.

    Reference: Holtzman et al. 2020, https://arxiv.org/abs/1904.09751 (`top_p`).
    """
    samples = ops.convert_to_tensor(noise).shape[1]
    max_lengths, longest = length_limits(max_length, batch_size_of(initial_states), longest)
    return run_search(
        step,
        initial_states,
        constants,
        start_id=start_id,
        constraints=TokenConstraints(
            end_id=end_id,
            pad_id=pad_id,
            min_length=min_length,
            suppressed_ids=suppressed_ids,
            no_repeat_ngram_size=no_repeat_ngram_size,
            prefix_ids=prefix_ids,
            normalized=normalized,
        ),
        scoring=Scoring(length_penalty),
        max_lengths=max_lengths,
        longest=longest,
        width=samples,
        n_best=samples,
        sampler=Sampler(noise, temperature, top_k, top_p),
    )


@dataclass(frozen=True)
class Sampler:
    """Draws one token per hypothesis by inverse transform sampling.

    Args:
        noise, temperature, top_k, top_p: see `sample`.
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

    def num_candidates(self, logits):
        """How many top tokens of logits of shape `(rows, vocabulary_size)` are drawn from."""
        return self.top_k or logits.shape[-1]

    def draw(self, log_probabilities, token_ids, position, slots):
        """Draws one candidate of each row.

        Args:
            log_probabilities: float32 tensor of shape `(rows, candidates)`, in descending order
                except for constrained tokens, which are `IMPOSSIBLE`.
            token_ids: int32 tensor of the same shape.
            position: int or scalar int tensor.
            slots: int32 tensor of shape `(rows,)`, the slot of each row: which noise to use.

        Returns:
            `(log_probabilities, token_ids)` of shape `(rows, 1)`; the log-probabilities are
            without temperature.
        """
        noise = ops.convert_to_tensor(self.noise, dtype="float32")
        noise = ops.reshape(noise, (-1, ops.shape(noise)[-1]))
        noise = rows_of(ops.take(noise, position, axis=1), slots)[:, None]
        highest = ops.max(log_probabilities, axis=-1, keepdims=True)
        weights = ops.exp((log_probabilities - highest) / self.temperature)
        if self.top_k:
            rank = ops.cumsum(ops.cast(weights > 0, "int32"), axis=-1)
            weights = ops.where(rank <= self.top_k, weights, 0.0)
        if self.top_p < 1:
            before = ops.cumsum(weights, axis=-1) - weights
            nucleus = self.top_p * ops.sum(weights, axis=-1, keepdims=True)
            weights = ops.where(before < nucleus, weights, 0.0)
        cumulative = ops.cumsum(weights, axis=-1)
        total = cumulative[:, -1:]
        drawn = ops.sum(ops.cast(cumulative <= noise * total, "int32"), axis=-1)
        # Rounding may give `noise * total == total`: then the last token of positive weight.
        last = ops.sum(ops.cast(cumulative < total, "int32"), axis=-1)
        drawn = ops.minimum(drawn, last)[:, None]
        return (
            ops.take_along_axis(log_probabilities, drawn, axis=1),
            ops.take_along_axis(token_ids, drawn, axis=1),
        )
