"""The additive attention of Bahdanau, Cho and Bengio (2015)."""

import keras
from keras import ops

from keras_bahdanau.layers.arguments import (
    check_attention_shapes,
    check_keys_shape,
    check_mask,
    check_positive_integer,
    check_rate,
)
from keras_bahdanau.layers.masked_softmax import masked_softmax


@keras.saving.register_keras_serializable(package="keras_bahdanau")
class BahdanauAttention(keras.layers.Layer):
    """Additive attention with learned projections of query and memory.

    Where `keras.layers.AdditiveAttention` adds query and key as they are, this layer learns the
    two matrices and the vector of the paper, so query and memory may have different widths. It
    scores every memory position against every query:

        e_ij = v^T tanh(W_s s_i + W_h h_j)         scores     (the paper's appendix A.1.2)
        alpha_ij = softmax_j e_ij                   weights    (its equation 6)
        c_i = sum_j alpha_ij h_j                    context    (its equation 5)

    with s_i = `query`, h_j = `key` (`value` unless given) in the score and `value` in the sum,
    W_s = `query_kernel`, W_h = `key_kernel` and v = `scale`. This is the feed-forward net over
    the concatenation [s_i; h_j], whose first matrix is split in two: W_h h_j does not depend on
    the query, so a decoder projects its memory once with `project_keys` and passes the result
    to every step as `keys`.

    Args:
        units: positive integer, the width of the two projections and of `scale`.
        use_bias: whether to add a learned bias inside the tanh. The paper's score has none.
        dropout: rate in [0, 1) at which weights are dropped on their way into the context
            during training. The returned weights are the ones before dropout.
        kernel_initializer: initializer of `query_kernel`, `key_kernel` and `scale`.
        bias_initializer: initializer of `bias`.
        kernel_regularizer: regularizer of `query_kernel` and `key_kernel`.
        seed: integer seed of the dropout, or `None`.
        **kwargs: `name`, `dtype`, `trainable`: see `keras.layers.Layer`.

    Call arguments:
        query: tensor of shape `(batch_size, query_dim)` for one step, or
            `(batch_size, query_length, query_dim)`.
        value: tensor of shape `(batch_size, value_length, value_dim)`: the memory.
        key: tensor of shape `(batch_size, value_length, key_dim)`, or `None` for `value`.
        query_mask: bool tensor of shape `(batch_size,)` or `(batch_size, query_length)`. Where it
            is False the context is zero.
        value_mask: bool tensor of shape `(batch_size, value_length)`. Where it is False the weight
            is zero. A row that is False everywhere gets zero weights and a zero context.
        return_attention_scores: whether to return the weights as well.
        training: whether dropout is applied.
        keys: tensor of shape `(batch_size, value_length, units)`: what `project_keys` returned.
            With it, `key` is not used and must be `None`.

    Returns:
        The context, of shape `(batch_size, value_dim)` or `(batch_size, query_length, value_dim)`;
        with `return_attention_scores=True` also the weights, of shape `(batch_size, value_length)`
        or `(batch_size, query_length, value_length)`.

    Raises:
        ValueError: an argument is out of its range; shapes or masks that do not fit together.

    Example:

    >>> attention = BahdanauAttention(units=64)
    >>> memory = keras.random.normal((8, 20, 128))
    >>> state = keras.random.normal((8, 256))
    >>> context, weights = attention(state, memory, return_attention_scores=True)
    >>> context.shape, weights.shape
    ((8, 128), (8, 20))

    Reference: Bahdanau, Cho, Bengio, "Neural Machine Translation by Jointly Learning to Align and
    Translate", ICLR 2015, https://arxiv.org/abs/1409.0473
    """

    def __init__(
        self,
        units,
        use_bias=False,
        dropout=0.0,
        kernel_initializer="glorot_uniform",
        bias_initializer="zeros",
        kernel_regularizer=None,
        seed=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.units = check_positive_integer("units", units)
        self.use_bias = use_bias
        self.dropout = check_rate("dropout", dropout)
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.bias_initializer = keras.initializers.get(bias_initializer)
        self.kernel_regularizer = keras.regularizers.get(kernel_regularizer)
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed) if dropout else None
        self.supports_masking = True

    def build(self, query_shape, value_shape, key_shape=None):
        check_attention_shapes(query_shape, value_shape, key_shape)
        key_dim = (key_shape or value_shape)[-1]
        self.query_kernel = self.add_weight(
            name="query_kernel",
            shape=(query_shape[-1], self.units),
            initializer=self._new(self.kernel_initializer),
            regularizer=self.kernel_regularizer,
        )
        self.key_kernel = self.add_weight(
            name="key_kernel",
            shape=(key_dim, self.units),
            initializer=self._new(self.kernel_initializer),
            regularizer=self.kernel_regularizer,
        )
        self.scale = self.add_weight(
            name="scale", shape=(self.units,), initializer=self._new(self.kernel_initializer)
        )
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(
                name="bias", shape=(self.units,), initializer=self.bias_initializer
            )
        self.built = True

    @staticmethod
    def _new(initializer):
        # An initializer object that is used twice would give equal values for equal shapes.
        return initializer.clone() if hasattr(initializer, "clone") else initializer

    def project_keys(self, value):
        """Projects a memory once: W_h h_j, plus the bias where there is one.

        Args:
            value: tensor of shape `(batch_size, value_length, key_dim)`.

        Returns:
            Tensor of shape `(batch_size, value_length, units)`, for `keys` of later calls.
        """
        keys = ops.matmul(
            ops.cast(value, self.compute_dtype), ops.cast(self.key_kernel, self.compute_dtype)
        )
        if self.use_bias:
            keys = keys + ops.cast(self.bias, self.compute_dtype)
        return keys

    def call(
        self,
        query,
        value,
        key=None,
        query_mask=None,
        value_mask=None,
        return_attention_scores=False,
        training=None,
        keys=None,
    ):
        self._check_arguments(query, value, key, keys, query_mask, value_mask)
        if keys is None:
            keys = self.project_keys(value if key is None else key)

        one_step = len(query.shape) == 2
        if one_step:
            query = ops.expand_dims(query, 1)
        projected_query = ops.matmul(query, self.query_kernel)
        # (batch_size, query_length, value_length, units)
        hidden = ops.tanh(ops.expand_dims(projected_query, 2) + ops.expand_dims(keys, 1))
        scores = ops.matmul(hidden, ops.expand_dims(self.scale, 1))[..., 0]
        if value_mask is not None:
            value_mask = ops.expand_dims(value_mask, 1)
        weights = masked_softmax(scores, value_mask)

        summed = weights
        if training and self.dropout:
            summed = keras.random.dropout(weights, self.dropout, seed=self.seed_generator)
        context = ops.matmul(summed, value)
        if one_step:
            context, weights = context[:, 0], weights[:, 0]
        if query_mask is not None:
            context = context * ops.cast(ops.expand_dims(query_mask, -1), context.dtype)
        if return_attention_scores:
            return context, weights
        return context

    def _check_arguments(self, query, value, key, keys, query_mask, value_mask):
        if key is not None and keys is not None:
            raise ValueError(
                "Expected either `key` (to be projected) or `keys` (from `project_keys`). "
                "Received both."
            )
        check_attention_shapes(query.shape, value.shape, None if key is None else key.shape)
        if keys is not None:
            check_keys_shape(keys.shape, value.shape, self.units)
        check_mask("query_mask", query_mask, query.shape[:-1])
        check_mask("value_mask", value_mask, value.shape[:-1])

    def compute_mask(self, inputs, previous_mask=None):
        # Only the query's mask, which Keras keeps under the first argument, outlives the layer.
        return previous_mask

    def compute_output_spec(
        self,
        query,
        value,
        key=None,
        query_mask=None,
        value_mask=None,
        return_attention_scores=False,
        training=None,
        keys=None,
    ):
        self._check_arguments(query, value, key, keys, query_mask, value_mask)
        context = keras.KerasTensor((*query.shape[:-1], value.shape[-1]), dtype=self.compute_dtype)
        if not return_attention_scores:
            return context
        weights = keras.KerasTensor((*query.shape[:-1], value.shape[1]), dtype=self.compute_dtype)
        return context, weights

    def get_config(self):
        return {
            **super().get_config(),
            "units": self.units,
            "use_bias": self.use_bias,
            "dropout": self.dropout,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
            "bias_initializer": keras.initializers.serialize(self.bias_initializer),
            "kernel_regularizer": keras.regularizers.serialize(self.kernel_regularizer),
            "seed": self.seed,
        }
