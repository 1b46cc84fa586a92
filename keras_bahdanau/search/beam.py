"""Beam search, and greedy search: beam search of width 1."""

from keras_bahdanau.search.next_tokens import TokenConstraints
from keras_bahdanau.search.scoring import Scoring, batch_size_of, check_at_least, length_limits
from keras_bahdanau.search.search_loop import run_search


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
    """Returns the `n_best` best sequences of each sentence, found with `beam_width` beams.

    At every position each hypothesis is expanded by its most probable tokens, and all expansions
    of a sentence are pruned to the best `beam_width`, ranked by

        score = log_probability / length ** length_penalty        (length: generated tokens)

    A hypothesis is finished when it generates the end token or reaches its sentence's
    `max_length`; it keeps its beam as long as its score is among the best. A sentence is finished
    when all its hypotheses are, or when no active one can still enter the `n_best` (early
    stopping). Finished sentences are no longer decoded. The result of a sentence does not depend
    on the other sentences of the batch.

    It runs eagerly and inside `tf.function`, where batch size, source length and `max_length` may
    be unknown. Under `jax.jit`, `max_length` must be an int or `longest` be given, and finished
    hypotheses are decoded until all are finished. It is not differentiable: with PyTorch call it
    inside `torch.no_grad()`.

    Args:
        step: function `(token_ids, states, constants) -> (logits, states, attention_scores)`:
            `token_ids` int32 tensor of shape `(rows,)`, the tokens of the last position; `states`
            and `constants` of the structures given here, with leading dimension `rows`; `logits`
            of shape `(rows, vocabulary_size)`; `attention_scores` of shape
            `(rows, source_length)` or `None`. There is one row per active hypothesis, and a few
            more: `rows` falls as hypotheses finish, and their order is internal to the search.
        initial_states: nested structure of tensors with leading dimension `batch_size`.
        constants: nested structure of tensors with leading dimension `batch_size` that stay the
            same over time (memory, keys, mask).
        beam_width: positive int, hypotheses kept per sentence. It may exceed the vocabulary size.
        start_id: int, the token before the first generated one.
        end_id: int, the token that finishes a hypothesis.
        pad_id: int, fills `token_ids` after the end.
        max_length: positive int, or int tensor of shape `(batch_size,)`: the largest number of
            generated tokens, the end token included. A hypothesis that reaches it is returned as
            it stands; a sentence with 0 gets the empty hypothesis, of log-probability 0.
        longest: int, an upper bound of a tensor `max_length` and then the number of positions T
            of the result; `None` for the largest entry.
        min_length: int, or int tensor of shape `(batch_size,)`: the minimum number of tokens before
            the end token (unless `max_length` is smaller).
        length_penalty: non-negative float or scalar tensor: 0 ranks by log-probability, 1 by its
            mean per token, larger values favour longer hypotheses.
        length_penalty_type: `"average"` for the score above; `"wu"` divides by
            `((5 + length) / 6) ** length_penalty` instead.
        coverage_penalty: non-negative float. A finished hypothesis adds to its score this factor
            times the sum over source positions of `log(min(attention, 1))`, where attention is
            summed over the generated tokens. It needs `attention_scores`.
        n_best: positive int, hypotheses returned per sentence, at most `beam_width`.
        suppressed_ids: sequence of ints, tokens that are never generated.
        no_repeat_ngram_size: int n: no n-gram occurs twice in a hypothesis; 0 to allow it.
        prefix_ids: int tensor of shape `(batch_size, P)`, padded with `pad_id`: forced first
            tokens of each sentence, whose log-probabilities count; or `None`.
        normalized: whether the logits of `step` are log-probabilities, used as they are even
            where the probabilities do not add up to 1.

    Returns:
        A `SearchResult`, the hypotheses of a sentence in order of their scores. The order of
        hypotheses with equal scores is not specified.

    Raises:
        ValueError: an argument is out of range, `initial_states` is empty, every token is
            suppressed, or `step` returns other shapes than described.

    Example:

    ```python
    # Token 2 ends; 3 is followed by 3 or by the end.
    logits = keras.ops.log([[1e-9, 1e-9, 1e-9, 1.0], [1e-9, 1e-9, 0.6, 0.4]])

    def step(token_ids, states, constants):
        rows = keras.ops.cast(token_ids == 3, "int32")
        return keras.ops.take(logits, rows, axis=0), states, None

    result = beam_search(
        step,
        [keras.ops.zeros((1, 1))],
        beam_width=2,
        start_id=1,
        end_id=2,
        pad_id=0,
        max_length=5,
        length_penalty=0.0,
    )
    result.token_ids[0, 0]  # [3, 2, 0, 0, 0]
    ```

    Reference: Wu et al. 2016, https://arxiv.org/abs/1609.08144, equation 14 (both penalties).
    """
    check_at_least("beam_width", beam_width, 1)
    check_at_least("n_best", n_best, 1)
    if n_best > beam_width:
        raise ValueError(
            "Argument `n_best` must not be larger than `beam_width`. "
            f"Received: n_best={n_best}, beam_width={beam_width}"
        )
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
        scoring=Scoring(length_penalty, length_penalty_type, coverage_penalty),
        max_lengths=max_lengths,
        longest=longest,
        width=beam_width,
        n_best=n_best,
    )


def greedy_search(
    step,
    initial_states,
    constants=(),
    *,
    start_id,
    end_id,
    pad_id,
    max_length,
    longest=None,
    min_length=0,
    length_penalty=1.0,
    length_penalty_type="average",
    coverage_penalty=0.0,
    suppressed_ids=(),
    no_repeat_ngram_size=0,
    prefix_ids=None,
    normalized=False,
):
    """Returns one sequence for each sentence: the most probable token at every position.

    It is `beam_search` with `beam_width=1`. Which of several equally probable tokens is taken is
    not specified.

    Args:
        step, initial_states, constants, start_id, end_id, pad_id, max_length, longest, min_length,
            suppressed_ids, no_repeat_ngram_size, prefix_ids, normalized: see `beam_search`.
        length_penalty, length_penalty_type: for the returned scores: see `beam_search`.
        coverage_penalty: see `beam_search`. Above 0 it also counts in the choice between the end
            token and another one.

    Returns:
        A `SearchResult` with one hypothesis for each sentence.

    Raises:
        ValueError: see `beam_search`.
    """
    return beam_search(
        step,
        initial_states,
        constants,
        beam_width=1,
        start_id=start_id,
        end_id=end_id,
        pad_id=pad_id,
        max_length=max_length,
        longest=longest,
        min_length=min_length,
        length_penalty=length_penalty,
        length_penalty_type=length_penalty_type,
        coverage_penalty=coverage_penalty,
        suppressed_ids=suppressed_ids,
        no_repeat_ngram_size=no_repeat_ngram_size,
        prefix_ids=prefix_ids,
        normalized=normalized,
    )
