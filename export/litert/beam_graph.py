"""Beam search as one LiteRT loop."""

from typing import NamedTuple

import tensorflow as tf

from keras_bahdanau.export.litert.suppression import IMPOSSIBLE


class Beams(NamedTuple):
    """The hypotheses of one sentence, `beam_width` of them, best first."""

    token_id: tf.Tensor  # int32 (beam_width,), the last token
    tokens: tf.Tensor  # int32 (beam_width, capacity)
    lengths: tf.Tensor  # int32 (beam_width,)
    totals: tf.Tensor  # float32 (beam_width,), log-probability
    finished: tf.Tensor  # bool (beam_width,)
    states: list  # of tensors (beam_width, units)


def beam_graph(
    step, states, *, beam_width, length_penalty, special_ids, capacity, max_length, suppressed
):
    """Keeps the `beam_width` best hypotheses of one sentence.

    The same algorithm as `keras_bahdanau.search.beam_search`, written for the operators that
    LiteRT has: per row the best `beam_width` raw scores first, then their log-probabilities.

    Args:
        step: `step(token_ids, states) -> (logits, states, attention_scores)` for `beam_width`
            rows.
        states: list of tensors of shape `(1, units)`.
        beam_width: number of hypotheses.
        length_penalty: hypotheses are ranked by log-probability / length**length_penalty.
        special_ids, capacity, max_length, suppressed: as in `greedy_graph`.

    Returns:
        `(token_ids, length, log_probability, score)` of the best hypothesis: int32 `(1,
        capacity)`, int32 `(1,)`, float32 `(1,)` and float32 `(1,)`.
    """
    bound = tf.minimum(max_length[0], capacity)
    positions = tf.range(capacity)[tf.newaxis]
    first = tf.one_hot(0, beam_width, on_value=0.0, off_value=IMPOSSIBLE)
    beams = Beams(
        token_id=tf.fill((beam_width,), special_ids["start_id"]),
        tokens=tf.fill((beam_width, capacity), special_ids["pad_id"]),
        lengths=tf.zeros((beam_width,), tf.int32),
        totals=first,
        finished=tf.zeros((beam_width,), tf.bool),
        states=[tf.repeat(state, beam_width, axis=0) for state in states],
    )

    def unfinished(time, beams):
        return tf.logical_and(time < bound, tf.reduce_any(tf.logical_not(beams.finished)))

    def extend(time, beams):
        logits, new_states, _ = step(beams.token_id, beams.states)
        totals, token_ids = _candidates(logits, beams, suppressed, special_ids, beam_width)
        lengths = beams.lengths + tf.cast(tf.logical_not(beams.finished), tf.int32)
        scores = _normalise(totals, lengths[:, tf.newaxis], length_penalty)
        _, best = tf.math.top_k(tf.reshape(scores, (-1,)), beam_width)
        parent = best // beam_width
        token_id = tf.gather(tf.reshape(token_ids, (-1,)), best)
        tokens = tf.gather(beams.tokens, parent)
        finished = tf.gather(beams.finished, parent)
        return time + 1, Beams(
            token_id=token_id,
            tokens=tf.where(positions == time, token_id[:, tf.newaxis], tokens),
            lengths=tf.gather(lengths, parent),
            totals=tf.gather(tf.reshape(totals, (-1,)), best),
            finished=tf.logical_or(finished, token_id == special_ids["end_id"]),
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
    )


def _candidates(logits, beams, suppressed, special_ids, beam_width):
    """Totals and tokens of each row's best continuations, both `(beam_width, beam_width)`."""
    normaliser = tf.reduce_logsumexp(logits, axis=-1, keepdims=True)
    logits, token_ids = tf.math.top_k(logits + suppressed, beam_width)
    totals = beams.totals[:, tf.newaxis] + (logits - normaliser)
    # A finished hypothesis goes on in one way, at no cost.
    finished = beams.finished[:, tf.newaxis]
    itself = tf.one_hot(0, beam_width, on_value=0.0, off_value=IMPOSSIBLE)[tf.newaxis]
    totals = tf.where(finished, beams.totals[:, tf.newaxis] + itself, totals)
    return totals, tf.where(finished, special_ids["pad_id"], token_ids)


def _normalise(totals, lengths, length_penalty):
    lengths = tf.cast(lengths, tf.float32)
    if length_penalty == 1.0:
        return totals / lengths
    return totals / tf.pow(lengths, length_penalty)
