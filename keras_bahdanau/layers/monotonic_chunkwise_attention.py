"""Monotonic chunkwise attention (MoChA): Chiu and Raffel (2018)."""

import keras
from keras import ops

from keras_bahdanau.backend.numerics import matmul
from keras_bahdanau.layers.arguments import check_positive_integer
from keras_bahdanau.layers.bahdanau_attention import BahdanauAttention
from keras_bahdanau.layers.masked_softmax import masked_softmax
from keras_bahdanau.layers.monotonic_attention import MonotonicAttention


def chunkwise_weights(alignment, scores, chunk_size, mask=None):
    """Spreads each monotonic weight over the chunk of positions that ends there.

        beta_ij = sum_{k=j}^{j+w-1} alpha_ik exp(u_ij) / sum_{l=k-w+1}^{k} exp(u_il)

    with alpha = `alignment`, u = `scores` and w = `chunk_size` (Chiu and Raffel 2018,
    https://arxiv.org/abs/1712.05382, section 2.3). Where alpha is a choice, one at position t and
    zero elsewhere, this is the softmax over the chunk that ends at t: training and decoding are
    the same formula.

    The paper computes the sums over l and k as moving sums of exp(u), which underflow in a chunk
    whose scores are far below the highest. Here each chunk has its own softmax, in a tensor of
    shape `(batch_size, value_length, chunk_size)`.

    Args:
        alignment: tensor of shape `(batch_size, value_length)`, zero where `mask` is False.
        scores: tensor of shape `(batch_size, value_length)`.
        chunk_size: positive integer.
        mask: bool tensor of shape `(batch_size, value_length)`, or `None`. Chunks keep their size,
            and positions where it is False get zero weight.

    Returns:
        Tensor of the shape and dtype of `scores`. Each row has the sum of the row of `alignment`.
    """
    length = ops.shape(scores)[1]
    positions = ops.expand_dims(ops.arange(length), 1)
    offsets = ops.expand_dims(ops.arange(chunk_size), 0)

    members = positions - offsets
    kept = ops.expand_dims(members >= 0, 0)
    members = ops.maximum(members, 0)
    if mask is not None:
        kept = ops.logical_and(kept, ops.take(mask, members, axis=1))
    within = masked_softmax(ops.take(scores, members, axis=1), kept)
    shares = ops.expand_dims(ops.cast(alignment, scores.dtype), 2) * within

    # Position j is member o of the chunk that ends at j + o.
    ends = positions + offsets
    shares = ops.reshape(shares, (-1, length * chunk_size))
    sources = ops.minimum(ends, length - 1) * chunk_size + offsets
    return ops.sum(ops.where(ends < length, ops.take(shares, sources, axis=1), 0.0), axis=2)


@keras.saving.register_keras_serializable(package="keras_bahdanau")
class MonotonicChunkwiseAttention(MonotonicAttention):
    """Monotonic attention that selects a chunk, and soft attention within the chunk.

    A `MonotonicAttention` selects a single position at each step. Here the selected position is the
    last of a chunk of w = `chunk_size` positions, and a second score weighs the positions in it:

        u_ij = v^T tanh(W_s s_i + W_h h_j + b)                  scores within chunks
        beta_ij = sum_{k=j}^{j+w-1} alpha_ik exp(u_ij) / sum_{l=k-w+1}^{k} exp(u_il)    weights
        c_i = sum_j beta_ij h_j                                 context

    where alpha_ij are the weights of `MonotonicAttention`, and the variables of the second score
    are in the sublayer `chunk_attention` (`query_kernel`, `key_kernel`, `bias`, `scale`). With
    `inference_mode="hard"` alpha is one at one position t, and beta the softmax of u over
    the positions t - w + 1 to t. Decoding stays online and linear in time. With `chunk_size=1`
    beta is alpha.

    Args:
        units: positive integer, the width of the projections of both scores.
        chunk_size: positive integer: w.
        mode: see `MonotonicAttention`. `"hard"` passes a gradient to the second score alone.
        inference_mode, score_bias_initializer, seed: see `MonotonicAttention`.
        sigmoid_noise: see `MonotonicAttention`: noise of the first score alone.
        use_bias, normalize: those of the first score, see `MonotonicAttention`. The second score
            always has a bias, and no `gain`.
        layer_normalization, temperature: those of both scores, see `BahdanauAttention`.
        dropout, position_dropout, kernel_initializer, bias_initializer, kernel_regularizer: see
            `BahdanauAttention`.
        **kwargs: `name`, `dtype`, `trainable`: see `keras.layers.Layer`.

    Call arguments:
        query, value, key, query_mask, value_mask, return_attention_scores, training,
            return_attention_state: see `MonotonicAttention`. Where `value_mask` is False no chunk
            ends, and beta_ij is zero. A row that is False everywhere gets zero weights and a zero
            context.
        keys: tensor of shape `(batch_size, value_length, 2 * units)`: what `project_keys`
            returned, the keys of both scores.
        attention_state: `{"previous_weights": tensor}` of shape `(batch_size, value_length)`:
            alpha, not beta, of the step before; `None` for the first step.

    Returns:
        The context, then, where asked for, the weights beta and the attention state; see
        `MonotonicAttention`.

    Raises:
        ValueError: an argument is out of its range; shapes, masks or an attention state that do
            not fit.

    Example:

    >>> attention = MonotonicChunkwiseAttention(units=64, chunk_size=4, inference_mode="hard")
    >>> memory = keras.random.normal((8, 20, 128))
    >>> queries = keras.random.normal((8, 5, 256))
    >>> context, weights = attention(queries, memory, return_attention_scores=True)
    >>> context.shape, weights.shape
    ((8, 5, 128), (8, 5, 20))

    Reference: Chiu, Raffel, "Monotonic Chunkwise Attention", ICLR 2018,
    https://arxiv.org/abs/1712.05382
    """

    def __init__(
        self,
        units,
        chunk_size,
        mode="recursive",
        inference_mode=None,
        sigmoid_noise=0.0,
        score_bias_initializer="zeros",
        normalize=True,
        use_bias=False,
        layer_normalization=False,
        temperature=1.0,
        dropout=0.0,
        position_dropout=0.0,
        kernel_initializer="glorot_uniform",
        bias_initializer="zeros",
        kernel_regularizer=None,
        seed=None,
        **kwargs,
    ):
        super().__init__(
            units,
            mode=mode,
            inference_mode=inference_mode,
            sigmoid_noise=sigmoid_noise,
            score_bias_initializer=score_bias_initializer,
            use_bias=use_bias,
            normalize=normalize,
            layer_normalization=layer_normalization,
            temperature=temperature,
            dropout=dropout,
            position_dropout=position_dropout,
            kernel_initializer=kernel_initializer,
            bias_initializer=bias_initializer,
            kernel_regularizer=kernel_regularizer,
            seed=seed,
            **kwargs,
        )
        self.chunk_size = check_positive_integer("chunk_size", chunk_size)
        self.chunk_attention = BahdanauAttention(
            units,
            use_bias=True,
            layer_normalization=self.layer_normalization,
            temperature=self.temperature,
            kernel_initializer=self.kernel_initializer,
            bias_initializer=self.bias_initializer,
            kernel_regularizer=self.kernel_regularizer,
            dtype=self.dtype_policy,
            name="chunk_attention",
        )

    def build_weights(self, query_dim, key_dim):
        super().build_weights(query_dim, key_dim)
        self.chunk_attention.build((None, query_dim), (None, None, key_dim))

    @property
    def keys_dim(self):
        return 2 * self.units

    def project_keys(self, value):
        both = [super().project_keys(value), self.chunk_attention.project_keys(value)]
        return ops.concatenate(both, axis=-1)

    def project_query(self, query, matmul=matmul):
        both = [super().project_query(query, matmul), self.chunk_attention.project_query(query)]
        return ops.concatenate(both, axis=-1)

    def weigh(self, projected_query, keys, value_mask, attention_state, training, noise=None):
        alignment, attention_state = super().weigh(
            projected_query[..., : self.units],
            keys[..., : self.units],
            value_mask,
            attention_state,
            training,
            noise,
        )
        scores = self.chunk_attention.score(
            projected_query[..., self.units :], keys[..., self.units :]
        )
        weights = chunkwise_weights(alignment[:, 0], scores[:, 0], self.chunk_size, value_mask)
        weights = ops.cast(ops.expand_dims(weights, 1), self.compute_dtype)
        return weights, attention_state

    def get_config(self):
        return {**super().get_config(), "chunk_size": self.chunk_size}
