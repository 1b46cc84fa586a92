"""Embedding tables of eight or four bits a weight, one scale per row."""

import keras
import numpy as np
import tensorflow as tf

from .quantization import packed


def quantize_rows(table, bits=8):
    """Rounds each row of a float table to whole numbers with the row's own scale.

    Args:
        table: float array of shape `(vocabulary_size, embedding_dim)`.
        bits: 8, for numbers from -127 to 127, or 4, from -7 to 7.

    Returns:
        `(rows, scales)`: int8 of the same shape, float32 of shape `(vocabulary_size,)`;
        `rows * scales[:, None]` approximates the table to half a scale.
    """
    # In float64, like the converter: a table that is an output matrix too then has the same bytes
    # in both places, and the file keeps them once.
    table = np.asarray(table, "float64")
    largest, top = np.max(np.abs(table), axis=1), 2 ** (bits - 1) - 1
    # Rows of zeros, and rows so small that float32 has no scale for them, become zeros.
    scales = np.where(largest > top * np.finfo("float32").tiny, largest / top, 1)
    return np.rint(table / scales[:, None]).astype("int8"), scales.astype("float32")


class RowQuantizedLookup(keras.layers.Layer):
    """Stands in for an embedding layer: reads a quantized table and scales the row.

    The scales are stored as the int32 that has the same bits, because the converter would
    quantise a float table of scales, too. Of four bits, two numbers are in each byte, as LiteRT
    has them in an INT4 matrix.

    Args:
        layer: a built `keras.layers.Embedding`, or a subclass such as `ReversibleEmbedding`,
            whose product with the transposed table stays the layer's own.
        bits: 8 or 4. Rows of an odd width have 8.

    Call arguments:
        token_ids: int tensor of any shape.
        reverse: as in `keras.layers.ReversibleEmbedding`.

    Returns: tensor of shape `(*token_ids.shape, embedding_dim)`.
    """

    def __init__(self, layer, bits=8, **kwargs):
        super().__init__(name=f"row_quantized_{layer.name}", dtype="float32", **kwargs)
        self.layer = layer
        self.supports_masking = True
        self.bits = 8 if layer.output_dim % 2 else bits
        rows, scales = quantize_rows(layer.embeddings, self.bits)
        self.rows = tf.Variable(packed(rows) if self.bits == 4 else rows, trainable=False)
        self.scale_bits = tf.Variable(scales.view("int32"), trainable=False)
        self.built = True

    def call(self, token_ids, reverse=False):
        if reverse:
            return self.layer(token_ids, reverse=True)
        row = tf.cast(tf.gather(self.rows, token_ids), "float32")
        if self.bits == 4:
            row = _unpacked(row)
        scale = tf.bitcast(tf.gather(self.scale_bits, token_ids), "float32")
        return row * tf.expand_dims(scale, -1)

    def compute_mask(self, token_ids, mask=None):
        if hasattr(self.layer, "mask_zero") and self.layer.mask_zero:
            return keras.ops.not_equal(token_ids, 0)
        return None


def _unpacked(row):
    """The numbers in the halves of bytes that were cast to float32.

    In floating point, which is exact here, because LiteRT is slow with integers.
    """
    upper = tf.floor(row / 16)
    lower = row - 16 * upper
    lower = lower - 16 * tf.floor(lower / 8)
    pairs = tf.concat([tf.expand_dims(lower, -1), tf.expand_dims(upper, -1)], axis=-1)
    return tf.reshape(pairs, (*row.shape[:-1], 2 * row.shape[-1]))
