"""Beam search, and greedy search, which is its case of one beam."""

from keras_bahdanau.search.next_tokens import Rules
from keras_bahdanau.search.scoring import Scoring, batch_size_of, check_at_least, length_limits
from keras_bahdanau.search.search_loop import grow


def beam_search(
    step,
    initial_states,
    constants=(),
    *,
    beam_width,
    start_id,
    end_id,
    pad_id,
    max_length,
    longest=None,
    min_length=0,
    length_penalty=1.0,
    length_penalty_type="average",
    coverage_penalty=0.0,
    n_best=1,
    suppressed_ids=(),
    no_repeat_ngram_size=0,
    prefix_ids=None,
    normalized=False,
):
    """Generates the best sequences that a beam of `beam_width` hypotheses finds.

    At every position each hypothesis is continued by its most probable tokens, and the best
    `beam_width` of all continuations are kept, ranked by their score:

        log_probability / length ** length_penalty        (length: generated tokens)

    A hypothesis ends with the end token or at its sentence's `max_length`; it is then frozen and
    keeps its place as long as its score is among the best. A sentence is finished when all its
    hypotheses have ended, or when none that grows can become one of the `n_best`: of finished
    sentences nothing is computed any more. A sentence's result does not depend on the others of
    the batch. It runs eagerly and inside `tf.function` (batch size, source length and `max_length`
    may be unknown there). Under `jax.jit`, `max_length` must be an int, or `longest` be given, and
    all rows are computed until all have ended. Gradients are of no use: with PyTorch call it
    inside `torch.no_grad()`.

    Args:
        step: function `(token_ids, states, constants) -> (logits, states, attention_scores)`:
            `token_ids` int32 of shape `(rows,)`, the tokens of the last position; `states` and
            `constants` of the structures of those given here, with `rows` rows; `logits` of shape
            `(rows, vocabulary_size)`; `attention_scores` of shape `(rows, S)` or `None`. There is
            a row for each hypothesis that still grows and for few others: their number falls from
            step to step, and which rows they are is the search's affair.
        initial_states: nested structure of tensors whose first dimension is the batch.
        constants: nested structure of such tensors: what stays the same over time (memory, keys,
            mask).
        beam_width: positive int, the number of hypotheses kept for each sentence. It may be
            larger than the vocabulary.
        start_id: int, the token before the first generated one.
        end_id: int, the token that ends a hypothesis.
        pad_id: int, fills `token_ids` after the end.
        max_length: positive int, or int tensor of shape `(batch_size,)`: the largest number of
            generated tokens, the end token included. A hypothesis that reaches it is left as it
            stands; a sentence whose entry is 0 gets the empty one with log-probability 0.
        longest: int that no entry of a tensor `max_length` exceeds, then the number of positions
            T of the result; `None` for the largest entry.
        min_length: int, or int tensor of shape `(batch_size,)`: the least number of tokens before
            the end token (unless `max_length` is smaller).
        suppressed_ids: sequence of ints, tokens that are never generated.
        no_repeat_ngram_size: int n: no hypothesis has the same n tokens in a row twice; 0 for no
            such rule.
        prefix_ids: int tensor of shape `(batch_size, P)`, padded with `pad_id`: tokens that each
            sentence begins with, whatever their probability, which counts; or `None`.
        normalized: whether the step's logits are log-probabilities, to be taken as they are even
            where the probabilities do not add up to 1.
        length_penalty: non-negative float, or a scalar tensor: 0 ranks by log-probability, 1 by
            its mean over the tokens, more favours longer hypotheses.
        length_penalty_type: `"average"` for the score above; `"wu"` divides by
            `((5 + length) / 6) ** length_penalty` instead.
        coverage_penalty: non-negative float: added to the score of a hypothesis when it ends, this
            times the sum over the source of `log(min(attention, 1))`, where attention is the sum
            over the generated tokens. It needs `attention_scores`.
        n_best: int, the number of hypotheses returned for each sentence, at most `beam_width`.

    Returns:
        A `SearchResult`, the hypotheses of a sentence in order of their scores. The order of
        hypotheses with equal scores is not specified.

    Reference for the penalties: Wu et al. 2016, https://arxiv.org/abs/1609.08144, equation 14.
    """
    check_at_least("beam_width", beam_width, 1)
    check_at_least("n_best", n_best, 1)
    if n_best > beam_width:
        raise ValueError(
            "Argument `n_best` must not be larger than `beam_width`. "
            f"Received: n_best={n_best}, beam_width={beam_width}"
        )
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
        scoring=Scoring(length_penalty, length_penalty_type, coverage_penalty),
        limits=limits,
        longest=longest,
        width=beam_width,
        n_best=n_best,
    )


def greedy_search(step, initial_states, constants=(), **options):
    """Generates a sequence for each sentence by taking the most probable token each time.

    It is `beam_search` with one hypothesis, and takes the arguments of that. Which of several
    equally probable tokens is taken is not specified.

    Returns:
        A `SearchResult` with one hypothesis for each sentence.
    """
    return beam_search(step, initial_states, constants, beam_width=1, **options)
