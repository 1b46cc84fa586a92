"""Greedy and beam search as one LiteRT loop each."""

from typing import NamedTuple

import numpy as np
import tensorflow as tf

IMPOSSIBLE = -1e9


def suppression_row(vocabulary_size, suppressed_ids):
    """A row to add to the logits so that some tokens are never chosen.

    Returns: float32 array of shape `(vocabulary_size,)`, zero but for the suppressed ids.
    """
    row = np.zeros(vocabulary_size, "float32")
    row[list(suppressed_ids)] = IMPOSSIBLE
    return row


def zeros(shape, length):
    """A float32 tensor of zeros that is made when the graph runs.

    `tf.zeros` would be a constant, which a LiteRT file holds in full.

    Args:
        shape: tuple of ints.
        length: a scalar int32 tensor of the graph, never negative.
    """
    return tf.fill(shape, tf.cast(tf.minimum(length, 0), "float32"))


# LiteRT goes through the numbers of a TOPK one by one, and through those of a maximum many at a
# time. The best numbers are in the groups with the highest maxima.
_GROUP = 64


def top_candidates(logits, count):
    """`tf.math.top_k` of rows of a vocabulary's width, faster on LiteRT.

    Of equal numbers another may be found than `tf.math.top_k` finds.

    Args:
        logits: float32 tensor of shape `(rows, vocabulary_size)`, of known shape.
        count: how many.

    Returns:
        `(values, ids)` of shapes `(rows, count)`, float32 and int32, highest first.
    """
    rows, width = logits.shape
    groups = -(-width // _GROUP)
    if groups <= count:
        return tf.math.top_k(logits, count)
    padded = tf.pad(logits, [[0, 0], [0, groups * _GROUP - width]], constant_values=IMPOSSIBLE)
    grouped = tf.reshape(padded, (rows, groups, _GROUP))
    _, chosen = tf.math.top_k(tf.reduce_max(grouped, axis=-1), count)
    candidates = tf.gather(grouped, chosen, batch_dims=1)
    values, places = tf.math.top_k(tf.reshape(candidates, (rows, count * _GROUP)), count)
    group = tf.gather(chosen, places // _GROUP, batch_dims=1)
    return values, group * _GROUP + tf.math.floormod(places, _GROUP)


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


class Beams(NamedTuple):
    """The hypotheses of one sentence, `beam_width` of them, best first."""

    token_id: tf.Tensor  # int32 (beam_width,), the last token
    tokens: tf.Tensor  # int32 (beam_width, capacity)
    lengths: tf.Tensor  # int32 (beam_width,)
    totals: tf.Tensor  # float32 (beam_width,), log-probability
    finished: tf.Tensor  # bool (beam_width,)
    attention: list  # of none or one tensor (beam_width, capacity, max_length)
    states: list  # of tensors (beam_width, units)


def beam_graph(
    step,
    states,
    *,
    beam_width,
    length_penalty,
    special_ids,
    capacity,
    max_length,
    suppressed_ids,
    attention,
):
    """Keeps the `beam_width` best hypotheses of one sentence.

    The same algorithm as `keras_bahdanau.search.beam_search`, written for the operators that
    LiteRT has: per row the best raw scores first, then their log-probabilities.

    Args:
        step: `step(token_ids, states) -> (logits, states, attention_scores)` for `beam_width`
            rows.
        states: list of tensors of shape `(1, units)`.
        beam_width: number of hypotheses.
        length_penalty: hypotheses are ranked by log-probability / length**length_penalty.
        special_ids, capacity, max_length: as in `greedy_graph`.
        suppressed_ids: list of the tokens that are never chosen.
        attention: as in `greedy_graph`, of `beam_width` rows.

    Returns:
        `(token_ids, length, log_probability, score, attention)` of the best hypothesis: int32 `(1,
        capacity)`, int32 `(1,)`, float32 `(1,)`, float32 `(1,)`, and the list of attention scores.
    """
    bound = tf.minimum(max_length[0], capacity)
    positions = tf.expand_dims(tf.range(capacity), 0)
    first = tf.one_hot(0, beam_width, on_value=0.0, off_value=IMPOSSIBLE)
    beams = Beams(
        token_id=tf.fill((beam_width,), special_ids["start_id"]),
        tokens=tf.fill((beam_width, capacity), special_ids["pad_id"]),
        lengths=tf.zeros((beam_width,), tf.int32),
        totals=first,
        finished=tf.zeros((beam_width,), tf.bool),
        attention=attention,
        states=[tf.repeat(state, beam_width, axis=0) for state in states],
    )

    def unfinished(time, beams):
        return tf.logical_and(time < bound, tf.reduce_any(tf.logical_not(beams.finished)))

    def extend(time, beams):
        logits, new_states, scores_of_source = step(beams.token_id, beams.states)
        totals, token_ids = _candidates(logits, beams, suppressed_ids, special_ids, beam_width)
        lengths = beams.lengths + tf.cast(tf.logical_not(beams.finished), tf.int32)
        scores = _normalise(totals, tf.expand_dims(lengths, 1), length_penalty)
        _, best = tf.math.top_k(tf.reshape(scores, (-1,)), beam_width)
        parent = best // totals.shape[1]
        token_id = tf.gather(tf.reshape(token_ids, (-1,)), best)
        tokens = tf.gather(beams.tokens, parent)
        finished = tf.gather(beams.finished, parent)
        return time + 1, Beams(
            token_id=token_id,
            tokens=tf.where(positions == time, tf.expand_dims(token_id, 1), tokens),
            lengths=tf.gather(lengths, parent),
            totals=tf.gather(tf.reshape(totals, (-1,)), best),
            finished=tf.logical_or(finished, token_id == special_ids["end_id"]),
            attention=[
                tf.gather(written(each, time, scores_of_source), parent) for each in beams.attention
            ],
            states=[tf.gather(state, parent) for state in new_states],
        )

    _, beams = tf.while_loop(unfinished, extend, [tf.constant(0), beams])
    scores = _normalise(beams.totals, tf.maximum(beams.lengths, 1), length_penalty)
    _, best = tf.math.top_k(scores, 1)
    return (
        tf.gather(beams.tokens, best),
        tf.gather(beams.lengths, best),
        tf.gather(beams.totals, best),
        tf.gather(scores, best),
        [tf.gather(each, best) for each in beams.attention],
    )


def _candidates(logits, beams, suppressed_ids, special_ids, beam_width):
    """Totals and tokens of each row's best continuations, both `(beam_width, candidates)`."""
    # So many that enough are left when the suppressed ones are not chosen: cheaper than to go
    # through all logits once more.
    count = beam_width + len(suppressed_ids)
    best_logits, token_ids = top_candidates(logits, count)
    most = tf.slice(best_logits, (0, 0), (beam_width, 1))
    normaliser = most + tf.math.log(tf.reduce_sum(tf.exp(logits - most), axis=-1, keepdims=True))
    is_suppressed = tf.reduce_any(
        tf.equal(tf.expand_dims(token_ids, -1), tf.constant(suppressed_ids)), axis=-1
    )
    log_probabilities = tf.where(is_suppressed, IMPOSSIBLE, best_logits - normaliser)
    own_totals = tf.expand_dims(beams.totals, 1)
    # A finished hypothesis goes on in one way, at no cost.
    finished = tf.expand_dims(beams.finished, 1)
    itself = tf.constant([[0.0] + [IMPOSSIBLE] * (count - 1)])
    totals = own_totals + tf.where(finished, itself, log_probabilities)
    return totals, tf.where(finished, special_ids["pad_id"], token_ids)


def _normalise(totals, lengths, length_penalty):
    lengths = tf.cast(lengths, tf.float32)
    if length_penalty == 1.0:
        return totals / lengths
    return totals / tf.pow(lengths, length_penalty)
