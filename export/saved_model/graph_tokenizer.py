"""The SentencePiece tokenizer as TensorFlow operations, for signatures of text."""

import tensorflow as tf
import tensorflow_text

from keras_bahdanau.text.tokenizer import END_ID, PAD_ID, UNKNOWN_ID


class GraphTokenizer(tf.Module):
    """Text to padded token ids and back, inside a TensorFlow graph.

    Its ids and texts equal those of `keras_bahdanau.text.tokenizer.Tokenizer` with the same
    SentencePiece model. Control tokens that a user types (`<s>`) stay plain text. Each byte that
    is not UTF-8 is read as U+FFFD, which is an unknown token.

    Args:
        model_bytes: the serialized SentencePiece model. It becomes a part of the graph.
    """

    def __init__(self, model_bytes: bytes):
        super().__init__()
        self._tokenizer = tensorflow_text.SentencepieceTokenizer(model_bytes, out_type=tf.int32)
        # A constant table: in TensorFlow Serving, the operation of `id_to_string` is less tested.
        ids = tf.range(self._tokenizer.vocab_size())
        self._pieces = self._tokenizer.id_to_string(ids).numpy()

    def encode(self, text: tf.Tensor, max_length: int) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns the token ids of texts, each with the end id.

        Args:
            text: string tensor of shape `(batch_size,)`.
            max_length: maximum number of ids of a text, the end id included; at least 1. Longer
                texts are truncated.

        Returns:
            `(token_ids, is_cut)`: int32 tensor of shape `(batch_size, length)`, padded; and bool
            tensor of shape `(batch_size,)`, true for texts that were truncated.
        """
        pieces = self._tokenizer.tokenize(text)
        room = max_length - 1
        lengths = tf.cast(pieces.row_lengths(), tf.int32)
        is_cut, lengths = lengths > room, tf.minimum(lengths, room)
        token_ids = pieces.to_tensor(PAD_ID)[:, :room]
        token_ids = tf.pad(token_ids, [[0, 0], [0, 1]], constant_values=PAD_ID)
        is_end = tf.range(tf.shape(token_ids)[1]) == lengths[:, tf.newaxis]
        return tf.where(is_end, END_ID, token_ids), is_cut

    def decode(self, token_ids: tf.Tensor) -> tf.Tensor:
        """Returns the texts of token ids, up to the first end or padding id, without unknown ids.

        Args:
            token_ids: int32 tensor of shape `(..., length)`.

        Returns:
            string tensor of shape `(...,)`.
        """
        shape = tf.shape(token_ids)
        token_ids = tf.reshape(token_ids, tf.stack([tf.reduce_prod(shape[:-1]), shape[-1]]))
        is_text = tf.cast((token_ids != PAD_ID) & (token_ids != END_ID), tf.int32)
        before_end = tf.math.cumprod(is_text, axis=1) == 1
        pieces = tf.ragged.boolean_mask(token_ids, before_end & (token_ids != UNKNOWN_ID))
        return tf.reshape(self._tokenizer.detokenize(pieces), shape[:-1])

    def pieces(self, token_ids: tf.Tensor) -> tf.Tensor:
        """Returns the piece of each token id, an empty string for padding.

        Args:
            token_ids: int32 tensor of any shape.

        Returns:
            string tensor of the same shape.
        """
        pieces = tf.gather(tf.constant(self._pieces), token_ids)
        return tf.where(token_ids == PAD_ID, "", pieces)

    @property
    def vocabulary(self) -> list[str]:
        """The pieces in the order of their ids."""
        return [piece.decode() for piece in self._pieces]
