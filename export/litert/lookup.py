"""Quantized embedding lookup: int8 or int4 tables with one scale per row."""

import keras
import numpy as np
import tensorflow as tf

from .quantization import pack_int4


class RowQuantizedLookup(keras.layers.Layer):
    """Replaces an embedding layer: gathers rows of a quantized table and scales them.

    The scales are stored as int32 of the same bits, because the converter would quantize a float
    table. In an int4 table, each byte holds two weights, as in LiteRT's INT4 matrices.

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
        self.rows = tf.Variable(pack_int4(rows) if self.bits == 4 else rows, trainable=False)
        self.scale_bits = tf.Variable(scales.view("int32"), trainable=False)
        self.built = True

    def call(self, token_ids, reverse=False):
        if reverse:
            return self.layer(token_ids, reverse=True)
        row = tf.cast(tf.gather(self.rows, token_ids), "float32")
        if self.bits == 4:
            row = _unpack_int4(row)
        scale = tf.bitcast(tf.gather(self.scale_bits, token_ids), "float32")
        return row * tf.expand_dims(scale, -1)

    def compute_mask(self, token_ids, mask=None):
        if hasattr(self.layer, "mask_zero") and self.layer.mask_zero:
            return keras.ops.not_equal(token_ids, 0)
        return None


def quantize_rows(table, bits=8):
    """Rounds each row of a table to integers with a scale of its own.

    Args:
        table: float array of shape `(vocabulary_size, embedding_dim)`.
        bits: 8, for integers from -127 to 127, or 4, from -7 to 7.

    Returns:
        `(rows, scales)`: int8 of the same shape, float32 of shape `(vocabulary_size,)`;
        `rows * scales[:, None]` differs from the table by at most half a scale.
    """
    # In float64, like the converter: a table that is also an output matrix then has the same bytes
    # in both places, and the file stores them once.
    table = np.asarray(table, "float64")
    largest, top = np.max(np.abs(table), axis=1), 2 ** (bits - 1) - 1
    # Rows so small that float32 has no scale for them become zeros.
    scales = np.where(largest > top * np.finfo("float32").tiny, largest / top, 1)
    return np.rint(table / scales[:, None]).astype("int8"), scales.astype("float32")


def _unpack_int4(row):
    """Pairs of 4-bit integers, from bytes that were cast to float32.

    In floating point, which is exact here: LiteRT is slow with integers.
    """
    upper = tf.floor(row / 16)
    lower = row - 16 * upper
    lower = lower - 16 * tf.floor(lower / 8)
    pairs = tf.concat([tf.expand_dims(lower, -1), tf.expand_dims(upper, -1)], axis=-1)
    return tf.reshape(pairs, (*row.shape[:-1], 2 * row.shape[-1]))
