"""Embedding tables of int8, one scale per row."""

import keras
import numpy as np
import tensorflow as tf


def quantize_rows(table):
    """Rounds each row of a float table to int8 with the row's own scale.

    Args:
        table: float array of shape `(vocabulary_size, embedding_dim)`.

    Returns:
        `(rows, scales)`: int8 of the same shape, float32 of shape `(vocabulary_size,)`;
        `rows * scales[:, None]` approximates the table to half a scale.
    """
    # In float64, like the converter: a table that is an output matrix too then has the same bytes
    # in both places, and the file keeps them once.
    table = np.asarray(table, "float64")
    largest = np.max(np.abs(table), axis=1)
    # Rows of zeros, and rows so small that float32 has no scale for them, become zeros.
    scales = np.where(largest > 127 * np.finfo("float32").tiny, largest / 127, 1)
    return np.rint(table / scales[:, None]).astype("int8"), scales.astype("float32")


class RowQuantizedLookup(keras.layers.Layer):
    """Stands in for an embedding layer: reads an int8 table and scales the row.

    The scales are stored as the int32 that has the same bits, because the converter would
    quantise a float table of scales, too.

    Args:
        layer: a built `keras.layers.Embedding`, or a subclass such as `ReversibleEmbedding`,
            whose product with the transposed table stays the layer's own.

    Call arguments:
        token_ids: int tensor of any shape.
        reverse: as in `keras.layers.ReversibleEmbedding`.

    Returns: tensor of shape `(*token_ids.shape, embedding_dim)`.
    """

    def __init__(self, layer, **kwargs):
        super().__init__(name=f"row_quantized_{layer.name}", dtype="float32", **kwargs)
        self.layer = layer
        self.supports_masking = True
        rows, scales = quantize_rows(layer.embeddings)
        self.rows = tf.Variable(rows, trainable=False)
        self.scale_bits = tf.Variable(scales.view("int32"), trainable=False)
        self.built = True

    def call(self, token_ids, reverse=False):
        if reverse:
            return self.layer(token_ids, reverse=True)
        row = tf.cast(tf.gather(self.rows, token_ids), "float32")
        scale = tf.bitcast(tf.gather(self.scale_bits, token_ids), "float32")
        return row * tf.expand_dims(scale, -1)

    def compute_mask(self, token_ids, mask=None):
        if hasattr(self.layer, "mask_zero") and self.layer.mask_zero:
            return keras.ops.not_equal(token_ids, 0)
        return None
