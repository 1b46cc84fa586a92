"""Word alignment in the graph, as `Translation.word_alignment` computes it in Python."""

from collections.abc import Sequence
from typing import NamedTuple

import tensorflow as tf

from keras_bahdanau.alignments.words import END_WORD, WORD_START, is_spaceless
from keras_bahdanau.text.tokenizer import END_ID, PAD_ID


class _Words(NamedTuple):
    """The words of sentences.

    Attributes:
        texts: strings `(sentences, words)`, empty after the last word.
        members: float32 `(sentences, tokens, words)`, 1 where a token is part of a word.
        is_word: bool `(sentences, words)`.
    """

    texts: tf.Tensor
    members: tf.Tensor
    is_word: tf.Tensor


class GraphWordAlignment:
    """Attention between words, from attention between subword tokens.

    End tokens are left out.

    Args:
        pieces: the pieces of the vocabulary in the order of their ids.
    """

    def __init__(self, pieces: Sequence[str]):
        self._texts = tf.constant([piece.replace(WORD_START, " ") for piece in pieces])
        self._begins = tf.constant([piece.startswith(WORD_START) for piece in pieces])
        self._starts_spaceless = tf.constant([is_spaceless(piece[:1]) for piece in pieces])
        self._ends_spaceless = tf.constant(
            [is_spaceless(piece[-1:]) and piece != END_WORD for piece in pieces]
        )

    def outputs(
        self, source_ids: tf.Tensor, token_ids: tf.Tensor, attention: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        """Returns outputs of a signature.

        Args:
            source_ids: int32 `(batch_size, S)`.
            token_ids: int32 `(batch_size, n, T)`.
            attention: float32 `(batch_size, n, T, S)`.

        Returns:
            `source_words` `(batch_size, V)` and `target_words` `(batch_size, n, W)`, strings, empty
            after the last word; `word_attention`, float32 `(batch_size, n, W, V)`; and
            `word_alignment`, strings `(batch_size, n)` in Pharaoh format: "source-target" indices
            of words, one for each target word with any attention.
        """
        n_best = token_ids.shape[1]
        source, target = self._words(source_ids), self._words(_merged(token_ids))
        # A target word's attention is the mean over its tokens.
        shares = target.members / tf.maximum(tf.reduce_sum(target.members, 1, keepdims=True), 1.0)
        shares = _split(shares, n_best)
        to_words = tf.matmul(attention, source.members[:, tf.newaxis])
        weights = tf.matmul(shares, to_words, transpose_a=True)
        return {
            "source_words": tf.ensure_shape(source.texts, [None, None]),
            "target_words": tf.ensure_shape(_split(target.texts, n_best), [None, n_best, None]),
            "word_attention": tf.ensure_shape(weights, [None, n_best, None, None]),
            "word_alignment": tf.ensure_shape(
                _links(weights, _split(target.is_word, n_best)), [None, n_best]
            ),
        }

    def _words(self, token_ids):
        is_text = (token_ids != PAD_ID) & (token_ids != END_ID)
        previous = tf.pad(token_ids[:, :-1], [[0, 0], [1, 0]], constant_values=PAD_ID)
        is_split = tf.gather(self._starts_spaceless, token_ids) & tf.gather(
            self._ends_spaceless, previous
        )
        is_first = (tf.range(tf.shape(token_ids)[1]) == 0)[tf.newaxis]
        opens = is_text & (is_first | tf.gather(self._begins, token_ids) | is_split)
        opens = tf.cast(opens, tf.int32)
        numbers, counts = tf.cumsum(opens, axis=1) - 1, tf.reduce_sum(opens, axis=1)
        # At least one column, empty for texts without words.
        width = tf.maximum(tf.reduce_max(counts), 1)
        is_word = tf.range(width) < counts[:, tf.newaxis]
        is_member = is_text[..., tf.newaxis] & (tf.range(width) == numbers[..., tf.newaxis])
        rows = tf.shape(token_ids)[0]
        places = tf.range(rows)[:, tf.newaxis] * width + numbers
        joined = tf.strings.unsorted_segment_join(
            tf.where(is_text, tf.gather(self._texts, token_ids), ""),
            tf.where(is_text, places, rows * width),
            rows * width + 1,
        )
        texts = tf.strings.strip(tf.reshape(joined[:-1], tf.stack([rows, width])))
        # A piece of the space symbol alone stays visible.
        texts = tf.where(is_word & (texts == ""), WORD_START, texts)
        return _Words(texts, tf.cast(is_member, tf.float32), is_word)


def _links(weights, is_word):
    best = tf.argmax(weights, axis=-1, output_type=tf.int32)
    words = tf.broadcast_to(tf.range(tf.shape(weights)[2]), tf.shape(best))
    links = tf.strings.join([" ", tf.strings.as_string(best), "-", tf.strings.as_string(words)])
    is_linked = is_word & (tf.reduce_max(weights, axis=-1) > 0)
    return tf.strings.strip(tf.strings.reduce_join(tf.where(is_linked, links, ""), axis=-1))


def _merged(array):
    """Merges the first two axes."""
    shape = tf.shape(array)
    return tf.reshape(array, tf.concat([[-1], shape[2:]], axis=0))


def _split(array, size):
    """Splits the first axis: the inverse of `_merged`."""
    return tf.reshape(array, tf.concat([[-1, size], tf.shape(array)[1:]], axis=0))
