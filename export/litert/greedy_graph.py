"""Greedy search as one LiteRT loop."""

import tensorflow as tf


def greedy_graph(step, states, *, special_ids, capacity, max_length, suppressed, attention):
    """Takes the best token at each step, for one sentence.

    The same algorithm as `keras_bahdanau.search.greedy_search`, written for the operators that
    LiteRT has.

    Args:
        step: `step(token_ids, states, suppressed) -> (logits, states, attention_scores)` for one
            row.
        states: list of tensors of shape `(1, units)`.
        special_ids: dict with `start_id`, `end_id` and `pad_id`.
        capacity: length of the token buffer, an `int`.
        max_length: int32 tensor of shape `(1,)`, bound on the number of generated tokens.
        suppressed: float32 array of shape `(vocabulary_size,)` that is added to the logits.
        attention: list of the float32 tensor of zeros of shape `(1, capacity, max_length)` to write
            attention scores to; empty for none.

    Returns:
        `(token_ids, length, attention)`: int32 of shapes `(1, capacity)` and `(1,)`; the end token,
        where it was generated, is the last of the `length` tokens, and padding follows; and the
        list of attention scores.
    """
    positions = tf.expand_dims(tf.range(capacity), 0)
    bound = tf.minimum(max_length[0], capacity)

    def unfinished(time, token_id, tokens, attention, states):
        return tf.logical_and(time < bound, token_id[0] != special_ids["end_id"])

    def extend(time, token_id, tokens, attention, states):
        logits, states, scores = step(token_id, states, suppressed)
        token_id = tf.argmax(logits, axis=-1, output_type=tf.int32)
        tokens = tf.where(positions == time, token_id, tokens)
        attention = [written(each, time, scores) for each in attention]
        return time + 1, token_id, tokens, attention, states

    length, _, tokens, attention, _ = tf.while_loop(
        unfinished,
        extend,
        [
            tf.constant(0),
            tf.constant([special_ids["start_id"]]),
            tf.fill((1, capacity), special_ids["pad_id"]),
            attention,
            states,
        ],
    )
    return tokens, tf.expand_dims(length, 0), attention


def written(buffer, time, rows):
    """A buffer of shape `(rows, capacity, width)` with `rows` of `(rows, width)` at one time."""
    times = tf.reshape(tf.range(buffer.shape[1]), (1, -1, 1))
    return tf.where(times == time, tf.expand_dims(rows, 1), buffer)
