"""Greedy search and beam search of one sentence as LiteRT graphs, one while loop each.

The algorithms of `keras_bahdanau.search`, written with fixed shapes and with operators that LiteRT
has and runs fast.
"""

from typing import NamedTuple

import numpy as np
import tensorflow as tf

# Minus infinity, finite also in sums.
IMPOSSIBLE = -1e9


def greedy_graph(step, states, *, special_ids, capacity, max_length, suppressed, attention):
    """Greedy search: the most probable token at each step.

    Args:
        step: `step(token_ids, states, suppressed) -> (logits, states, attention_scores)` for a
            batch of 1.
        states: list of tensors of shape `(1, units)`.
        special_ids: dict with `start_id`, `end_id` and `pad_id`.
        capacity: length of the token buffer, an `int`.
        max_length: int32 tensor of shape `(1,)`, maximum number of tokens.
        suppressed: float32 array of shape `(vocabulary_size,)` that is added to the logits, see
            `suppression_row`.
        attention: list of one float32 tensor of zeros of shape `(1, capacity, source_length)` that
            attention scores are written to, or of none.

    Returns:
        `(token_ids, length, attention)`: int32 of shapes `(1, capacity)` and `(1,)`, where `length`
        counts the end token and padding follows; and the list of attention scores.
    """
    positions = tf.expand_dims(tf.range(capacity), 0)
    bound = tf.minimum(max_length[0], capacity)

    def unfinished(time, token_id, tokens, attention, states):
        return tf.logical_and(time < bound, token_id[0] != special_ids["end_id"])

    def extend(time, token_id, tokens, attention, states):
        logits, states, scores = step(token_id, states, suppressed)
        token_id = tf.argmax(logits, axis=-1, output_type=tf.int32)
        tokens = tf.where(positions == time, token_id, tokens)
        attention = [write_at(time, scores, buffer) for buffer in attention]
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


class Beams(NamedTuple):
    """The hypotheses of one sentence, `beam_width` of them, best first."""

    token_id: tf.Tensor  # int32 (beam_width,), the last token
    tokens: tf.Tensor  # int32 (beam_width, capacity)
    lengths: tf.Tensor  # int32 (beam_width,)
    log_probabilities: tf.Tensor  # float32 (beam_width,)
    finished: tf.Tensor  # bool (beam_width,)
    attention: list  # of none or one tensor (beam_width, capacity, source_length)
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
    """Beam search: the `beam_width` best hypotheses at each step.

    Args:
        step: `step(token_ids, states) -> (logits, states, attention_scores)` for a batch of
            `beam_width`.
        states: list of tensors of shape `(1, units)`.
        beam_width: number of hypotheses.
        length_penalty: hypotheses are ranked by log-probability / length**length_penalty.
        special_ids, capacity, max_length: as in `greedy_graph`.
        suppressed_ids: list of tokens that are never generated.
        attention: as in `greedy_graph`, of shape `(beam_width, capacity, source_length)`.

    Returns:
        `(token_ids, length, log_probability, score, attention)` of the best hypothesis: int32 `(1,
        capacity)`, int32 `(1,)`, float32 `(1,)`, float32 `(1,)`, and the list of attention scores.
    """
    bound = tf.minimum(max_length[0], capacity)
    positions = tf.expand_dims(tf.range(capacity), 0)
    # All hypotheses start identical: at first only one of them is expanded.
    first = tf.one_hot(0, beam_width, on_value=0.0, off_value=IMPOSSIBLE)
    beams = Beams(
        token_id=tf.fill((beam_width,), special_ids["start_id"]),
        tokens=tf.fill((beam_width, capacity), special_ids["pad_id"]),
        lengths=tf.zeros((beam_width,), tf.int32),
        log_probabilities=first,
        finished=tf.zeros((beam_width,), tf.bool),
        attention=attention,
        states=[tf.repeat(state, beam_width, axis=0) for state in states],
    )

    def unfinished(time, beams):
        return tf.logical_and(time < bound, tf.reduce_any(tf.logical_not(beams.finished)))

    def extend(time, beams):
        logits, states, attention_scores = step(beams.token_id, beams.states)
        candidates, token_ids = _candidates(logits, beams, suppressed_ids, special_ids, beam_width)
        lengths = beams.lengths + tf.cast(tf.logical_not(beams.finished), tf.int32)
        scores = _normalized(candidates, tf.expand_dims(lengths, 1), length_penalty)
        _, best = tf.math.top_k(tf.reshape(scores, (-1,)), beam_width)
        parent = best // candidates.shape[1]
        token_id = tf.gather(tf.reshape(token_ids, (-1,)), best)
        tokens = tf.gather(beams.tokens, parent)
        finished = tf.gather(beams.finished, parent)
        return time + 1, Beams(
            token_id=token_id,
            tokens=tf.where(positions == time, tf.expand_dims(token_id, 1), tokens),
            lengths=tf.gather(lengths, parent),
            log_probabilities=tf.gather(tf.reshape(candidates, (-1,)), best),
            finished=tf.logical_or(finished, token_id == special_ids["end_id"]),
            attention=[
                tf.gather(write_at(time, attention_scores, buffer), parent)
                for buffer in beams.attention
            ],
            states=[tf.gather(state, parent) for state in states],
        )

    _, beams = tf.while_loop(unfinished, extend, [tf.constant(0), beams])
    scores = _normalized(beams.log_probabilities, tf.maximum(beams.lengths, 1), length_penalty)
    _, best = tf.math.top_k(scores, 1)
    return (
        tf.gather(beams.tokens, best),
        tf.gather(beams.lengths, best),
        tf.gather(beams.log_probabilities, best),
        tf.gather(scores, best),
        [tf.gather(buffer, best) for buffer in beams.attention],
    )


def _candidates(logits, beams, suppressed_ids, special_ids, beam_width):
    """Expands beams: top-k tokens of each hypothesis.

    Returns: log-probabilities of the continued hypotheses and their last tokens, both of shape
        `(beam_width, candidates)`.
    """
    # Enough that `beam_width` remain when the suppressed ones are excluded afterwards, which is
    # cheaper than to mask all logits first.
    count = beam_width + len(suppressed_ids)
    best_logits, token_ids = top_candidates(logits, count)
    largest = tf.slice(best_logits, (0, 0), (beam_width, 1))
    log_sum = largest + tf.math.log(tf.reduce_sum(tf.exp(logits - largest), axis=-1, keepdims=True))
    is_suppressed = tf.reduce_any(
        tf.equal(tf.expand_dims(token_ids, -1), tf.constant(suppressed_ids)), axis=-1
    )
    log_probabilities = tf.where(is_suppressed, IMPOSSIBLE, best_logits - log_sum)
    before = tf.expand_dims(beams.log_probabilities, 1)
    # A finished hypothesis has one expansion, padding, of log-probability 0.
    finished = tf.expand_dims(beams.finished, 1)
    unchanged = tf.constant([[0.0] + [IMPOSSIBLE] * (count - 1)])
    candidates = before + tf.where(finished, unchanged, log_probabilities)
    return candidates, tf.where(finished, special_ids["pad_id"], token_ids)


def _normalized(log_probabilities, lengths, length_penalty):
    lengths = tf.cast(lengths, tf.float32)
    if length_penalty == 1.0:
        return log_probabilities / lengths
    return log_probabilities / tf.pow(lengths, length_penalty)


# LiteRT's kernel of TOPK is not vectorised, that of REDUCE_MAX is. The best logits are in the
# groups with the largest maxima.
_GROUP = 64


def top_candidates(logits, count):
    """`tf.math.top_k` over the vocabulary, faster on LiteRT.

    Among equal logits, it may choose others than `tf.math.top_k` does.

    Args:
        logits: float32 tensor of static shape `(rows, vocabulary_size)`.
        count: number of candidates of each row.

    Returns:
        `(values, ids)` of shape `(rows, count)`, float32 and int32, largest first.
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


def suppression_row(vocabulary_size, suppressed_ids):
    """A bias of the logits under which some tokens are never generated.

    Returns: float32 array of shape `(vocabulary_size,)`, zero but for the suppressed ids.
    """
    row = np.zeros(vocabulary_size, "float32")
    row[list(suppressed_ids)] = IMPOSSIBLE
    return row


def write_at(time, values, buffer):
    """Writes values `(rows, width)` at one position of a `(rows, capacity, width)` buffer."""
    times = tf.reshape(tf.range(buffer.shape[1]), (1, -1, 1))
    return tf.where(times == time, tf.expand_dims(values, 1), buffer)


def zeros(shape, length):
    """Zeros that are computed at run time; a LiteRT file would hold those of `tf.zeros` in full.

    Args:
        shape: tuple of ints.
        length: any scalar int32 tensor of the graph that is not negative.

    Returns: float32 tensor.
    """
    return tf.fill(shape, tf.cast(tf.minimum(length, 0), "float32"))
