"""Beam search: the best of several hypotheses that grow together."""

from keras import ops, tree

from keras_bahdanau.search.candidates import IMPOSSIBLE, next_tokens
from keras_bahdanau.search.limits import (
    UNFINISHED,
    batch_size_of,
    check_at_least,
    length_limits,
    lengths_after,
    suppression,
)
from keras_bahdanau.search.result import SearchResult
from keras_bahdanau.search.stepping import call_step, write


def repeat_for_beams(tensor, beam_width):
    """Repeats each sentence for its beams: row `sentence * beam_width + beam` of the result.

    A step function for `beam_search` holds what stays the same over time (memory, keys, mask)
    repeated like this.

    Args:
        tensor: tensor of shape `(batch_size, ...)`.
        beam_width: positive int.

    Returns:
        Tensor of shape `(batch_size * beam_width, ...)`.
    """
    check_at_least("beam_width", beam_width, 1)
    return tensor if beam_width == 1 else ops.repeat(tensor, beam_width, axis=0)


def beam_search(
    step,
    initial_states,
    *,
    beam_width,
    start_id,
    end_id,
    pad_id,
    max_length,
    longest=None,
    min_length=0,
    length_penalty=1.0,
    n_best=1,
    suppressed_ids=(),
):
    """Generates the best sequences that a beam of `beam_width` hypotheses finds.

    At every position each hypothesis is continued by its most probable tokens, and the best
    `beam_width` of all continuations are kept, ranked by

        log_probability / length ** length_penalty        (length: generated tokens)

    A hypothesis ends with the end token or at its sentence's `max_length`; it is then frozen and
    keeps its place as long as its score is among the best. The loop ends when all hypotheses of
    all sentences have ended. A sentence's result does not depend on the others of the batch. It
    runs eagerly and inside `tf.function` (batch size, source length and `max_length` may be
    unknown there). Under `jax.jit`, `max_length` must be an int, or `longest` be given. Gradients
    are of no use: with PyTorch call it inside `torch.no_grad()`.

    Args:
        step: function `(token_ids, states) -> (logits, states, attention_scores)`, where `rows`
            is `batch_size * beam_width`: `token_ids` int32 of shape `(rows,)`, the tokens of the
            last position; `states` as `initial_states` with `rows` rows; `logits` of shape
            `(rows, vocabulary_size)`; `attention_scores` of shape `(rows, S)` or `None`. What
            stays the same over time is not a state: the function holds it, repeated by
            `repeat_for_beams`.
        initial_states: nested structure of tensors whose first dimension is the batch.
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
        min_length: int, the least number of tokens before the end token (unless `max_length` is
            smaller).
        length_penalty: non-negative float, or a scalar tensor: 0 ranks by log-probability, 1 by
            its mean over the tokens, more favours longer hypotheses.
        n_best: int, the number of hypotheses returned for each sentence, at most `beam_width`.
        suppressed_ids: sequence of ints, tokens that are never generated.

    Returns:
        A `SearchResult`, the hypotheses of a sentence in order of their scores. The order of
        hypotheses with equal scores is not specified.
    """
    check_at_least("beam_width", beam_width, 1)
    check_at_least("n_best", n_best, 1)
    if n_best > beam_width:
        raise ValueError(
            "Argument `n_best` must not be larger than `beam_width`. "
            f"Received: n_best={n_best}, beam_width={beam_width}"
        )
    if isinstance(length_penalty, (int, float)) and length_penalty < 0:
        raise ValueError(
            "Argument `length_penalty` must not be negative. "
            f"Received: length_penalty={length_penalty}"
        )
    batch_size = batch_size_of(initial_states)
    rows = batch_size * beam_width
    limits, longest = length_limits(max_length, batch_size, longest)
    limits = repeat_for_beams(limits, beam_width)
    suppressed_at = suppression(suppressed_ids, end_id, min_length)
    positions = ops.arange(longest, dtype="int32")
    row_ids = ops.arange(rows, dtype="int32")

    def advance(position, token_ids, lengths, totals, states):
        logits, states, attention_scores = call_step(step, token_ids, initial_states, states)
        log_probabilities, token_ids = next_tokens(logits, beam_width, suppressed_at(position))
        log_probabilities = _freeze(log_probabilities, lengths < UNFINISHED)
        totals = totals[:, None] + log_probabilities
        scores = _normalised(totals, ops.minimum(lengths, position + 1)[:, None], length_penalty)
        chosen = _best_continuations(scores, batch_size, beam_width)
        parents = chosen // scores.shape[1]
        totals = ops.take(ops.reshape(totals, (-1,)), chosen)
        token_ids = ops.take(ops.reshape(token_ids, (-1,)), chosen)
        lengths = ops.take(lengths, parents)
        token_ids = ops.where(lengths < UNFINISHED, pad_id, token_ids)
        lengths = lengths_after(lengths, token_ids, position, end_id, limits)
        states = [ops.take(state, parents, axis=0) for state in states]
        emitted = [token_ids] if attention_scores is None else [token_ids, attention_scores]
        return emitted, parents, lengths, totals, states

    def body(position, token_ids, lengths, totals, states, path, records):
        emitted, parents, lengths, totals, states = advance(
            position, token_ids, lengths, totals, states
        )
        here = positions == position
        path = write(ops.take(path, parents, axis=0), here, row_ids)
        records = [write(record, here, new) for record, new in zip(records, emitted, strict=True)]
        return position + 1, emitted[0], lengths, totals, states, path, records

    # The first position is outside the loop: it tells what the step returns. Only the first beam
    # of a sentence is alive there, because all of them are the same.
    emitted, _, lengths, totals, states = advance(
        0,
        ops.full((rows,), start_id, dtype="int32"),
        ops.where(limits < 1, 1, UNFINISHED),
        ops.reshape(ops.broadcast_to(_first_of(beam_width), (batch_size, beam_width)), (-1,)),
        [repeat_for_beams(state, beam_width) for state in tree.flatten(initial_states)],
    )
    # Tokens and attention are recorded in the row where they arose and are never reordered: the
    # path of a hypothesis tells, for each position, the row that its token stands in.
    first = positions == 0
    path = write(0, first, row_ids)
    records = [write(fill, first, new) for fill, new in zip((pad_id, 0.0), emitted, strict=False)]
    position = ops.convert_to_tensor(1, dtype="int32")
    _, _, lengths, totals, _, path, records = ops.while_loop(
        lambda position, token_ids, lengths, *_: ops.any(lengths == UNFINISHED),
        body,
        (position, emitted[0], lengths, totals, states, path, records),
    )
    lengths = ops.maximum(ops.minimum(lengths, limits), 0)

    def best(tensor):
        beams = ops.reshape(tensor, (batch_size, beam_width, *ops.shape(tensor)[1:]))
        return beams[:, :n_best]

    return _assemble(best(lengths), best(totals), best(path), records, length_penalty, pad_id)


def _freeze(log_probabilities, finished):
    """Gives ended hypotheses one continuation only, which leaves their log-probability alone."""
    frozen = _first_of(log_probabilities.shape[1])
    return ops.where(finished[:, None], frozen, log_probabilities)


def _first_of(count):
    """Returns log-probabilities of shape `(count,)`: the first is certain, no other possible."""
    return ops.convert_to_tensor([0.0] + [IMPOSSIBLE] * (count - 1), dtype="float32")


def _normalised(log_probabilities, lengths, length_penalty):
    """Returns `log_probabilities / lengths ** length_penalty`."""
    is_tensor = not isinstance(length_penalty, (int, float))
    if not is_tensor and length_penalty == 0:
        return log_probabilities
    lengths = ops.cast(lengths, "float32")
    is_mean = not is_tensor and length_penalty == 1
    return log_probabilities / (lengths if is_mean else lengths**length_penalty)


def _best_continuations(scores, batch_size, beam_width):
    """Returns the `beam_width` best continuations of each sentence, the best first.

    Args:
        scores: float tensor of shape `(batch_size * beam_width, continuations)`.
        batch_size: int or scalar int tensor.
        beam_width: int.

    Returns:
        int32 tensor of shape `(batch_size * beam_width,)`: indices into the flattened `scores`.
    """
    width = beam_width * scores.shape[1]
    _, best = ops.top_k(ops.reshape(scores, (batch_size, width)), beam_width)
    sentence = ops.arange(batch_size, dtype="int32")[:, None]
    return ops.reshape(ops.cast(best, "int32") + sentence * width, (-1,))


def _assemble(lengths, log_probabilities, path, records, length_penalty, pad_id):
    """Follows each path through the records.

    Args:
        lengths, log_probabilities: tensors of shape `(batch_size, n)`.
        path: int32 tensor of shape `(batch_size, n, T)`: the row of each position's token.
        records: list of an int32 tensor of shape `(rows, T)`, the tokens, and perhaps a float32
            tensor of shape `(rows, T, S)`, the attention of the row that a token continued.

    Returns:
        A `SearchResult`.
    """
    rows, longest = ops.shape(records[0])
    positions = ops.arange(longest, dtype="int32")
    possible = log_probabilities > IMPOSSIBLE / 10
    lengths = ops.where(possible, lengths, 0)
    generated = positions < lengths[:, :, None]
    token_ids = ops.take(ops.reshape(records[0], (rows * longest,)), path * longest + positions)
    attention_scores = None
    if len(records) == 2:
        # A token was generated by the row that stood there one position before; the first one by
        # its sentence's first beam, whose attention all beams share.
        previous = ops.concatenate([path[:, :, :1], path[:, :, :-1]], axis=-1)
        attention = ops.reshape(records[1], (rows * longest, ops.shape(records[1])[2]))
        attention = ops.take(attention, previous * longest + positions, axis=0)
        attention_scores = ops.where(generated[..., None], attention, 0.0)
    scores = _normalised(log_probabilities, ops.maximum(lengths, 1), length_penalty)
    return SearchResult(
        token_ids=ops.where(generated, token_ids, pad_id),
        lengths=lengths,
        log_probabilities=ops.where(possible, log_probabilities, -1e9),
        scores=ops.where(possible, scores, -1e9),
        attention_scores=attention_scores,
    )
