"""Monotonic attention: Raffel et al. (2017)."""

import keras
from keras import ops

from keras_bahdanau.layers.arguments import check_choice, check_non_negative_number
from keras_bahdanau.layers.base_attention import BaseAdditiveAttention
from keras_bahdanau.layers.monotonic_alignments import ALIGNMENTS

MODES = tuple(ALIGNMENTS)


@keras.saving.register_keras_serializable(package="keras_bahdanau")
class MonotonicAttention(BaseAdditiveAttention):
    """Monotonic attention: one pass over the memory, from its start to its end.

    Each step starts at the position of the step before and moves on until it selects a position.
    At inference (`inference_mode="hard"`) it needs only the memory up to there, so that decoding is
    online (it can start before the memory is complete) and takes linear time. It is trained with
    the expected weights:

        e_ij = g v^T / ||v|| tanh(W_s s_i + W_h h_j + b) + r    scores      (section 2.4)
        p_ij = sigmoid(e_ij)                                    selection   (equation 12)
        q_ij = (1 - p_ij-1) q_ij-1 + alpha_i-1,j                            (equation 13)
        alpha_ij = p_ij q_ij                                    weights     (equation 14)
        c_i = sum_j alpha_ij h_j                                context

    with s_i = `query`, h_j = `key` (`value` unless given), W_s = `query_kernel`, W_h =
    `key_kernel`, b = `bias`, v = `scale`, g = `gain` and r = `score_bias`, a learned scalar.
    alpha_0 is one at the first position and zero elsewhere. (The paper's query is s_i-1: here the
    caller chooses it.) `temperature` divides the score, but not r.

    The weights of a step sum to at most one. The rest is the probability that the attention has run
    past the end of the memory, from where it does not come back.

    Args:
        units: positive integer, the width of the two projections and of `scale`.
        mode: how weights come from probabilities in training. `"recursive"` is exact, in a number
            of operations that grows with the logarithm of the length. `"parallel"` is the closed
            form of the paper's appendix and of TensorFlow Addons: a little faster, but inexact
            after probabilities close to one and in long memories. `"hard"` selects: p_ij = 1 where
            e_ij > 0 and 0 elsewhere, without gradient to the scores.
        inference_mode: the mode when not training, or `None` for the same as `mode`.
        sigmoid_noise: number of at least 0, the standard deviation of normal noise that is added to
            e_ij in training only. It makes a model learn scores far from zero, so that the hard
            selection at inference is close to the expected weights (section 2.5). Without noise, do
            not expect `inference_mode="hard"` to work.
        score_bias_initializer: initializer of `score_bias`. Start below zero where the memory is
            long, for example with `keras.initializers.Constant(-2.0)`: with p_ij near one half
            the first training steps do not get past the first few positions.
        normalize: whether the score has g, b and v / ||v||. Without it e_ij is
            v^T tanh(W_s s_i + W_h h_j) + r.
        use_bias, layer_normalization, temperature, dropout, position_dropout,
            kernel_initializer, bias_initializer, kernel_regularizer: see `BahdanauAttention`.
        seed: integer seed of noise and dropouts, or `None`.
        **kwargs: `name`, `dtype`, `trainable`: see `keras.layers.Layer`.

    Call arguments:
        query, value, key, query_mask, value_mask, return_attention_scores, keys: see
            `BahdanauAttention`. Where `value_mask` is False p_ij is zero: the attention passes over
            the position (the first one too). A row that is False everywhere gets zero weights
            and a zero context.
        training: whether this is training: `mode`, noise and dropouts.
        attention_state: `{"previous_weights": tensor}` of shape `(batch_size, value_length)`, the
            weights of the step before, as the layer returned them; `None` for the first step.
        return_attention_state: whether to return the state after the last query as well.

    Returns:
        The context, then, where asked for, the weights and the attention state; see
        `BahdanauAttention`. With several queries, each starts where the one before it ended. In
        hard mode context and weights are zero from the first step on that selects no position.

    Raises:
        ValueError: an argument is out of its range; shapes, masks or an attention state that do
            not fit.

    Example:

    >>> attention = MonotonicAttention(units=64, sigmoid_noise=1.0, inference_mode="hard")
    >>> memory = keras.random.normal((8, 20, 128))
    >>> context, state = attention(
    ...     keras.random.normal((8, 256)), memory, return_attention_state=True
    ... )
    >>> context = attention(keras.random.normal((8, 256)), memory, attention_state=state)
    >>> context.shape
    (8, 128)

    Reference: Raffel, Luong, Liu, Weiss, Eck, "Online and Linear-Time Attention by Enforcing
    Monotonic Alignments", ICML 2017, https://arxiv.org/abs/1704.00784
    """

    state_names = ("previous_weights",)

    def __init__(
        self,
        units,
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
        self.mode = check_choice("mode", mode, MODES)
        self.inference_mode = check_choice("inference_mode", inference_mode, (None, *MODES))
        self.sigmoid_noise = check_non_negative_number("sigmoid_noise", sigmoid_noise)
        self.score_bias_initializer = keras.initializers.get(score_bias_initializer)
        if sigmoid_noise and self.seed_generator is None:
            self.seed_generator = keras.random.SeedGenerator(self.seed)

    def build_weights(self, query_dim, key_dim):
        super().build_weights(query_dim, key_dim)
        self.score_bias = self.add_weight(
            name="score_bias", shape=(), initializer=self.score_bias_initializer
        )

    def get_initial_state(self, value):
        batch_size, value_length = ops.shape(value)[:2]
        first = ops.cast(ops.equal(ops.arange(value_length), 0), self.state_dtype)
        return {"previous_weights": ops.broadcast_to(first, (batch_size, value_length))}

    def draw_noise(self, batch_size, query_length, value_length, training):
        if not training or not self.sigmoid_noise:
            return None
        return keras.random.normal(
            (batch_size, query_length, value_length),
            stddev=self.sigmoid_noise,
            seed=self.seed_generator,
        )

    def weigh(self, projected_query, keys, value_mask, attention_state, training, noise=None):
        scores = self.score(projected_query, keys)[:, 0]
        scores = scores + ops.cast(self.score_bias, scores.dtype)
        if noise is not None:
            scores = scores + ops.cast(noise[:, 0], scores.dtype)
        mode = self.mode if training else self.inference_mode or self.mode
        if mode == "hard":
            probabilities = ops.cast(scores > 0, scores.dtype)
        else:
            probabilities = ops.sigmoid(scores)
        if value_mask is not None:
            probabilities = ops.where(value_mask, probabilities, 0.0)
        weights = ALIGNMENTS[mode](probabilities, attention_state["previous_weights"])
        state = {"previous_weights": ops.cast(weights, self.state_dtype)}
        return ops.cast(ops.expand_dims(weights, 1), self.compute_dtype), state

    def get_config(self):
        return {
            **super().get_config(),
            "mode": self.mode,
            "inference_mode": self.inference_mode,
            "sigmoid_noise": self.sigmoid_noise,
            "score_bias_initializer": keras.initializers.serialize(self.score_bias_initializer),
        }
