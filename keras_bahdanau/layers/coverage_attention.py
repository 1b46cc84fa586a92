"""Coverage attention and coverage loss: Tu et al. (2016), See, Liu and Manning (2017)."""

import keras
from keras import ops

from keras_bahdanau.backend.numerics import float32_at_least
from keras_bahdanau.layers.arguments import (
    check_mask,
    check_non_negative_number,
    check_positive_number,
)
from keras_bahdanau.layers.base_attention import BaseAdditiveAttention
from keras_bahdanau.layers.masked_softmax import masked_softmax


def coverage_loss(attention_scores, query_mask=None):
    """Coverage loss: the overlap of each step's attention with that of all steps before.

        c_tj = sum_{t' < t} a_t'j             coverage    (the paper's equation 10)
        covloss_t = sum_j min(a_tj, c_tj)     loss        (its equation 12)

    It is 0 in the first step and never more than 1. The paper adds it to the loss of every step,
    with a weight of 1. The coverage here is the plain sum of the weights, also for a
    `CoverageAttention` with `fertility`.

    Args:
        attention_scores: tensor of shape `(batch_size, query_length, value_length)`: the weights
            a_tj of all steps, from the first one on.
        query_mask: bool tensor of shape `(batch_size, query_length)`, or `None`. Where it is
            False, the loss is 0 and the weights add nothing to the coverage.

    Returns:
        Tensor of shape `(batch_size, query_length)`, float32 where the weights are of half
        precision.

    Raises:
        ValueError: `attention_scores` without its three dimensions, or a mask that does not fit.

    Example:

    >>> attention = BahdanauAttention(units=64)
    >>> queries, memory = keras.random.normal((8, 10, 32)), keras.random.normal((8, 20, 32))
    >>> _, weights = attention(queries, memory, return_attention_scores=True)
    >>> coverage_loss(weights).shape
    (8, 10)

    Reference: See, Liu, Manning, "Get To The Point: Summarization with Pointer-Generator
    Networks", ACL 2017, https://arxiv.org/abs/1704.04368
    """
    weights = ops.convert_to_tensor(attention_scores)
    if len(weights.shape) != 3:
        raise ValueError(
            "Expected `attention_scores` of shape (batch_size, query_length, value_length). "
            f"Received: attention_scores.shape={tuple(weights.shape)}"
        )
    check_mask("query_mask", query_mask, weights.shape[:2])
    weights = float32_at_least(weights)
    if query_mask is not None:
        weights = ops.where(ops.expand_dims(query_mask, -1), weights, 0.0)
    before = ops.concatenate([ops.zeros_like(weights[:, :1]), weights[:, :-1]], axis=1)
    return ops.sum(ops.minimum(weights, ops.cumsum(before, axis=1)), axis=-1)


# Within the range of half precision, and far beyond where the tanh is 1 or -1.
LARGEST_COVERAGE = 1e4


@keras.saving.register_keras_serializable(package="keras_bahdanau")
class CoverageAttention(BaseAdditiveAttention):
    """Additive attention with coverage: the accumulated weights of a position enter its score.

    Against over- and under-translation, words that are translated twice or not at all (See et al.
    2017):

        c_ij = sum_{k < i} alpha_kj                          coverage   (the paper's equation 10)
        e_ij = v^T tanh(W_s s_i + W_h h_j + w_c c_ij)        scores     (its equation 11)
        alpha_ij = softmax_j e_ij                            weights
        c_i = sum_j alpha_ij h_j                             context

    with s_i = `query`, h_j = `key` (`value` unless given) in the score and `value` in the sum,
    W_s = `query_kernel`, W_h = `key_kernel`, v = `scale` and w_c = `coverage_kernel` of shape
    `(1, units)`. With `fertility`, the linguistic coverage of Tu et al. (2016): the fertility of a
    position is the number of steps that should attend to it, and divides its coverage:

        Phi_j = N sigmoid(U_f h_j)                           fertility
        c_ij = 1 / Phi_j sum_{k < i} alpha_kj                coverage

    with N = `fertility` and U_f = `fertility_kernel` of shape `(key_dim, 1)`. `project_keys` then
    returns U_f h_j as well, in the last of its units + 1 columns. (Here c_ij is at most 10000,
    because Phi_j may be close to zero.)

    Args:
        units: positive integer, the width of the projections and of `scale`.
        fertility: positive number, the largest fertility of a position (2 in the paper), or `None`
            for a coverage that is the plain sum.
        coverage_loss_weight: number of at least 0. Above 0, this many times the mean of
            `coverage_loss` is added to the layer's losses when it is called in training with all
            queries of a sequence. The mean is over the steps of all sentences of the batch that
            `query_mask` keeps, the first steps (whose loss is 0) included. Calls with one query
            (`(batch_size, query_dim)`) add nothing: stack their weights and use `coverage_loss`.
        use_bias, normalize, layer_normalization, temperature, dropout, position_dropout,
            kernel_initializer, bias_initializer, kernel_regularizer, seed: see
            `BahdanauAttention`.
        **kwargs: `name`, `dtype`, `trainable`: see `keras.layers.Layer`.

    Call arguments:
        attention_state: dict of `coverage`, a tensor of shape `(batch_size, value_length)`: what
            the call before returned, the plain sum of the weights so far. `None` before the first
            query: zeros.
        return_attention_state: whether to return the state after the last query as well.

    The others are those of `BahdanauAttention`. Queries of shape
    `(batch_size, query_length, query_dim)` are processed in order, also those where `query_mask` is
    False. A row of `value_mask` that is False everywhere gets zero weights and a zero
    context.

    Returns:
        The context; with `return_attention_scores=True` also the weights; with
        `return_attention_state=True` also the state, last. A tuple if it is more than the context.

    Raises:
        ValueError: an argument is out of its range; shapes or masks that do not fit together; the
            attention state of another layer or of another memory.

    Example:

    >>> attention = CoverageAttention(units=64, coverage_loss_weight=1.0)
    >>> memory = keras.random.normal((8, 20, 128))
    >>> queries = keras.random.normal((8, 10, 256))
    >>> contexts, state = attention(queries, memory, return_attention_state=True, training=True)
    >>> contexts.shape, state["coverage"].shape, len(attention.losses)
    ((8, 10, 128), (8, 20), 1)

    References: Tu, Lu, Liu, Liu, Li, "Modeling Coverage for Neural Machine Translation", ACL 2016,
    https://arxiv.org/abs/1601.04811; See, Liu, Manning, "Get To The Point: Summarization with
    Pointer-Generator Networks", ACL 2017, https://arxiv.org/abs/1704.04368
    """

    state_names = ("coverage",)

    def __init__(
        self,
        units,
        fertility=None,
        coverage_loss_weight=0.0,
        use_bias=False,
        normalize=False,
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
        if fertility is not None:
            check_positive_number("fertility", fertility)
        self.fertility = fertility
        self.coverage_loss_weight = check_non_negative_number(
            "coverage_loss_weight", coverage_loss_weight
        )

    def build_weights(self, query_dim, key_dim):
        super().build_weights(query_dim, key_dim)
        self.coverage_kernel = self.add_kernel("coverage_kernel", (1, self.units))
        self.fertility_kernel = None
        if self.fertility is not None:
            self.fertility_kernel = self.add_kernel("fertility_kernel", (key_dim, 1))

    @property
    def keys_dim(self):
        return self.units if self.fertility is None else self.units + 1

    def project_keys(self, value):
        keys = super().project_keys(value)
        if self.fertility is None:
            return keys
        value = ops.cast(value, self.compute_dtype)
        return ops.concatenate([keys, ops.matmul(value, self.cast(self.fertility_kernel))], axis=-1)

    def weigh(self, projected_query, keys, value_mask, attention_state, training, noise=None):
        coverage = attention_state["coverage"]
        used = coverage
        if self.fertility is not None:
            used, keys = self._in_fertilities(coverage, keys[..., -1]), keys[..., :-1]
        scores = self.score(
            projected_query,
            keys,
            features=ops.expand_dims(ops.expand_dims(used, 1), -1),
            feature_kernel=self.coverage_kernel,
        )
        mask = None if value_mask is None else ops.expand_dims(value_mask, 1)
        weights = masked_softmax(scores, mask)
        state = {"coverage": coverage + weights[:, 0]}
        return ops.cast(weights, self.compute_dtype), state

    def _in_fertilities(self, coverage, projected):
        fertility = self.fertility * ops.sigmoid(ops.cast(projected, coverage.dtype))
        used = coverage / ops.maximum(fertility, keras.config.epsilon())
        return ops.minimum(used, LARGEST_COVERAGE)

    def add_losses(self, attention_scores, query_mask=None):
        if not self.coverage_loss_weight:
            return
        losses = coverage_loss(attention_scores, query_mask)
        if query_mask is None:
            mean = ops.mean(losses)
        else:
            steps = ops.sum(ops.cast(query_mask, losses.dtype))
            mean = ops.sum(losses) / ops.maximum(steps, 1.0)
        self.add_loss(self.coverage_loss_weight * mean)

    def get_config(self):
        return {
            **super().get_config(),
            "fertility": self.fertility,
            "coverage_loss_weight": self.coverage_loss_weight,
        }
