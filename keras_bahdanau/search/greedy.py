"""Greedy search: the most probable token at every position."""

from keras import ops, tree

from keras_bahdanau.search.candidates import next_tokens
from keras_bahdanau.search.limits import (
    UNFINISHED,
    batch_size_of,
    length_limits,
    lengths_after,
    suppression,
)
from keras_bahdanau.search.result import SearchResult
from keras_bahdanau.search.stepping import call_step, write


def greedy_search(
    step,
    initial_states,
    *,
    start_id,
    end_id,
    pad_id,
    max_length,
    longest=None,
    min_length=0,
    suppressed_ids=(),
):
    """Generates a sequence for each sentence by taking the most probable token each time.

    A sentence ends with the end token or at its `max_length`, and the loop when all sentences
    have ended. A sentence's result does not depend on the others of the batch. It runs eagerly
    and inside `tf.function` (batch size, source length and `max_length` may be unknown there).
    Under `jax.jit`, `max_length` must be an int, or `longest` be given. Gradients are of no use:
    with PyTorch call it inside `torch.no_grad()`.

    Args:
        step: function `(token_ids, states) -> (logits, states, attention_scores)`: `token_ids`
            int32 of shape `(batch_size,)`, the tokens of the last position; `states` as
            `initial_states`; `logits` of shape `(batch_size, vocabulary_size)`;
            `attention_scores` of shape `(batch_size, S)` or `None`. What stays the same over
            time (memory, keys) is not a state: the function holds it.
        initial_states: nested structure of tensors whose first dimension is the batch.
        start_id: int, the token before the first generated one.
        end_id: int, the token that ends a sentence.
        pad_id: int, fills `token_ids` after the end.
        max_length: positive int, or int tensor of shape `(batch_size,)`: the largest number of
            generated tokens, the end token included. A sentence that reaches it is left as it
            stands; one whose entry is 0 gets the empty sequence with log-probability 0.
        longest: int that no entry of a tensor `max_length` exceeds, then the number of positions
            T of the result; `None` for the largest entry.
        min_length: int, the least number of tokens before the end token (unless `max_length` is
            smaller).
        suppressed_ids: sequence of ints, tokens that are never generated.

    Returns:
        A `SearchResult` with one hypothesis for each sentence; its score is the mean
        log-probability of a token. Which of several equally probable tokens is taken is not
        specified.
    """
    batch_size = batch_size_of(initial_states)
    limits, longest = length_limits(max_length, batch_size, longest)
    suppressed_at = suppression(suppressed_ids, end_id, min_length)
    positions = ops.arange(longest, dtype="int32")

    def advance(position, token_ids, lengths, totals, states):
        logits, states, attention_scores = call_step(step, token_ids, initial_states, states)
        log_probabilities, token_ids = _best(*next_tokens(logits, 1, suppressed_at(position)))
        finished = lengths < UNFINISHED
        token_ids = ops.where(finished, pad_id, token_ids)
        totals = ops.where(finished, totals, totals + log_probabilities)
        lengths = lengths_after(lengths, token_ids, position, end_id, limits)
        emitted = [token_ids] if attention_scores is None else [token_ids, attention_scores]
        return emitted, lengths, totals, states

    def body(position, token_ids, lengths, totals, states, records):
        emitted, lengths, totals, states = advance(position, token_ids, lengths, totals, states)
        here = positions == position
        records = [write(record, here, new) for record, new in zip(records, emitted, strict=True)]
        return position + 1, emitted[0], lengths, totals, states, records

    # The first position is outside the loop: it tells what the step returns.
    emitted, lengths, totals, states = advance(
        0,
        ops.full((batch_size,), start_id, dtype="int32"),
        ops.where(limits < 1, 1, UNFINISHED),
        ops.zeros((batch_size,), dtype="float32"),
        tree.flatten(initial_states),
    )
    records = [
        write(fill, positions == 0, new) for fill, new in zip((pad_id, 0.0), emitted, strict=False)
    ]
    _, _, lengths, totals, _, records = ops.while_loop(
        lambda position, token_ids, lengths, *_: ops.any(lengths == UNFINISHED),
        body,
        (ops.convert_to_tensor(1, dtype="int32"), emitted[0], lengths, totals, states, records),
    )

    lengths = ops.maximum(ops.minimum(lengths, limits), 0)[:, None]
    log_probabilities = totals[:, None]
    attention_scores = None
    if len(records) == 2:
        generated = positions < lengths
        attention_scores = ops.where(generated[:, :, None], records[1], 0.0)[:, None]
    return SearchResult(
        token_ids=records[0][:, None],
        lengths=lengths,
        log_probabilities=log_probabilities,
        scores=log_probabilities / ops.cast(ops.maximum(lengths, 1), "float32"),
        attention_scores=attention_scores,
    )


def _best(log_probabilities, token_ids):
    """Returns the best of each row's candidates as two tensors of shape `(rows,)`."""
    rows, count = ops.shape(token_ids)
    if count == 1:
        return log_probabilities[:, 0], token_ids[:, 0]
    best, column = ops.top_k(log_probabilities, 1)
    index = ops.arange(rows, dtype="int32") * count + ops.cast(column[:, 0], "int32")
    return best[:, 0], ops.take(ops.reshape(token_ids, (rows * count,)), index)
