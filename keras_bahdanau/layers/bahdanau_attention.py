"""Additive attention: Bahdanau, Cho and Bengio (2015)."""

import keras
from keras import ops

from keras_bahdanau.layers.arguments import check_choice
from keras_bahdanau.layers.base_attention import BaseAdditiveAttention
from keras_bahdanau.layers.masked_softmax import masked_hardmax, masked_softmax

PROBABILITIES = ("softmax", "hardmax")


@keras.saving.register_keras_serializable(package="keras_bahdanau")
class BahdanauAttention(BaseAdditiveAttention):
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
        probability: `"softmax"`, or `"hardmax"`: all weight on the highest score (it passes no
            gradient to the scores).
        use_bias: whether to add a learned bias inside the tanh. The paper's score has none.
        normalize: whether to normalize v as TensorFlow Addons does (weight normalization, Salimans
            and Kingma 2016): e_ij = g v^T / |v| tanh(W_s s_i + W_h h_j + b), with a learned scalar
            g = `gain`, 1 / sqrt(units) at first, and b = `bias`.
        layer_normalization: whether to normalize what is inside the tanh over its units (Ba,
            Kiros and Hinton 2016), with learned `norm_gamma` and `norm_beta`.
        temperature: positive number by which scores are divided: above 1 the weights are flatter,
            below 1 sharper.
        dropout: rate in [0, 1) at which weights are dropped in training, for each query anew, as
            in `keras.layers.AdditiveAttention`. The returned weights are those before dropout.
        position_dropout: rate in [0, 1) at which positions of `value` are dropped in training: one
            mask of shape `(batch_size, value_length, 1)` for all queries of a call (variational
            dropout: Gal and Ghahramani 2016, https://arxiv.org/abs/1512.05287). The scores, which
            are made of the keys, do not change.
        kernel_initializer: initializer of `query_kernel`, `key_kernel` and `scale`.
        bias_initializer: initializer of `bias`.
        kernel_regularizer: regularizer of `query_kernel` and `key_kernel`.
        seed: integer seed of both dropouts, or `None`.
        **kwargs: `name`, `dtype`, `trainable`: see `keras.layers.Layer`.

    Call arguments (the same for every layer of the family):
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
        keys: tensor of shape `(batch_size, value_length, keys_dim)`: what `project_keys` returned.
            With it, `key` is not used and must be `None`.
        attention_state: for layers whose weights depend on previous steps, the state that the call
            before returned: a dict of tensors of shape `(batch_size, value_length)`; `None` before
            the first query. A layer with state processes several queries in order. This layer's
            state is an empty dict.
        return_attention_state: whether to return the state after the last query as well.

    Returns:
        The context, of shape `(batch_size, value_dim)` or `(batch_size, query_length, value_dim)`;
        with `return_attention_scores=True` then the weights, of shape `(batch_size, value_length)`
        or `(batch_size, query_length, value_length)`; with `return_attention_state=True` then the
        attention state.

    Memory: for many queries the score is computed in chunks, forward and backward, and no tensor
    of shape `(batch_size, query_length, value_length, units)` is ever held; see `additive_scores`.

    Raises:
        ValueError: an argument is out of its range; shapes, masks or a state that do not fit
            together.

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
        probability="softmax",
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
        self.probability = check_choice("probability", probability, PROBABILITIES)

    def weigh(self, projected_query, keys, value_mask, attention_state, training, noise=None):
        scores = self.score(projected_query, keys)
        mask = None if value_mask is None else ops.expand_dims(value_mask, 1)
        if self.probability == "hardmax":
            weights = masked_hardmax(scores, mask)
        else:
            weights = masked_softmax(scores, mask)
        return ops.cast(weights, self.compute_dtype), {}

    def get_config(self):
        return {**super().get_config(), "probability": self.probability}
