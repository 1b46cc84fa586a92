"""Sampling: sequences that are drawn, token by token."""

from keras import ops

from keras_bahdanau.search.growth import grow
from keras_bahdanau.search.limits import batch_size_of, length_limits
from keras_bahdanau.search.rules import Rules
from keras_bahdanau.search.sampling import Sampling
from keras_bahdanau.search.scoring import Scoring


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
