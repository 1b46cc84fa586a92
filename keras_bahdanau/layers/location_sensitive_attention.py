"""Location-sensitive attention: Chorowski et al. (2015), Shen et al. (2018)."""

import keras
from keras import ops

from keras_bahdanau.layers.arguments import check_choice, check_positive_integer
from keras_bahdanau.layers.base_attention import BaseAdditiveAttention
from keras_bahdanau.layers.masked_softmax import masked_softmax

FEATURES = {
    "cumulative": ("cumulative_weights",),
    "previous": ("previous_weights",),
    "both": ("previous_weights", "cumulative_weights"),
}


@keras.saving.register_keras_serializable(package="keras_bahdanau")
class LocationSensitiveAttention(BaseAdditiveAttention):
    """Additive attention with location features: a convolution of the previous steps' weights.

    For long inputs that are read from beginning to end, as in speech: it distinguishes positions
    of similar content by the weights of the previous steps (the paper's section 2.2):

        f_i = F * a_{i-1}                                    location features: a convolution
        e_ij = w^T tanh(W s_i + V h_j + U f_ij)              scores
        alpha_ij = softmax_j e_ij                            weights
        c_i = sum_j alpha_ij h_j                             context

    with s_i = `query`, h_j = `key` (`value` unless given) in the score and `value` in the sum,
    W = `query_kernel`, V = `key_kernel`, w = `scale`, F = `location_filters` of shape
    `(kernel_size, channels, filters)` and U = `location_kernel` of shape `(filters, units)`.
    The weights a_{i-1} are those of the step before (the paper: `features="previous"`), the sum
    of those of all steps before (Tacotron 2: `features="cumulative"`), or both as two channels.
    The convolution has "same" padding: beyond both ends of the memory, and on padding, weights are
    zero. So in the first step positions do not differ by their location; where reading has to begin
    at the start of the memory, put a start symbol there.

    Args:
        units: positive integer, the width of the projections and of `scale`.
        filters: positive integer, the number of location filters.
        kernel_size: positive integer, the number of positions that a filter sees.
        features: `"cumulative"`, `"previous"` or `"both"`.
        window: `None`, or two integers `(back, ahead)` of at least 0: outside of training, only
            positions from p - back to p + ahead get weight, where p is the position with the
            largest weight of the previous step (0 in the first step). Where all of them are
            masked, the window is not applied.
        smoothing: whether sigmoid(e_ij) / sum_k sigmoid(e_ik) takes the place of the softmax
            (the paper's section 2.3), for flatter weights.
        use_bias, normalize, layer_normalization, temperature, dropout, position_dropout,
            kernel_initializer, bias_initializer, kernel_regularizer, seed: see
            `BahdanauAttention`.
        **kwargs: `name`, `dtype`, `trainable`: see `keras.layers.Layer`.

    Call arguments:
        attention_state: dict of `cumulative_weights` and `previous_weights`, tensors of shape
            `(batch_size, value_length)`: what the call before returned. `None` before the first
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

    >>> attention = LocationSensitiveAttention(units=128)
    >>> memory = keras.random.normal((8, 200, 512))
    >>> query = keras.random.normal((8, 1024))
    >>> state = attention.get_initial_state(memory)
    >>> context, state = attention(
    ...     query, memory, attention_state=state, return_attention_state=True
    ... )
    >>> context.shape, state["cumulative_weights"].shape
    ((8, 512), (8, 200))

    References: Chorowski, Bahdanau, Serdyuk, Cho, Bengio, "Attention-Based Models for Speech
    Recognition", NIPS 2015, https://arxiv.org/abs/1506.07503; Shen et al., "Natural TTS Synthesis
    by Conditioning WaveNet on Mel Spectrogram Predictions" (Tacotron 2), ICASSP 2018,
    https://arxiv.org/abs/1712.05884
    """

    state_names = ("cumulative_weights", "previous_weights")

    def __init__(
        self,
        units,
        filters=32,
        kernel_size=31,
        features="cumulative",
        window=None,
        smoothing=False,
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
        self.filters = check_positive_integer("filters", filters)
        self.kernel_size = check_positive_integer("kernel_size", kernel_size)
        self.features = check_choice("features", features, tuple(FEATURES))
        self.window = _checked_window(window)
        self.smoothing = smoothing

    def build_weights(self, query_dim, key_dim):
        super().build_weights(query_dim, key_dim)
        channels = len(FEATURES[self.features])
        self.location_filters = self.add_kernel(
            "location_filters", (self.kernel_size, channels, self.filters)
        )
        self.location_kernel = self.add_kernel("location_kernel", (self.filters, self.units))

    def weigh(self, projected_query, keys, value_mask, attention_state, training, noise=None):
        scores = self.score(
            projected_query,
            keys,
            features=ops.expand_dims(self._location_features(attention_state), 1),
            feature_kernel=self.location_kernel,
        )
        if self.smoothing:
            # The softmax of log(sigmoid(e)): never a division by a sum of nearly zero.
            scores = ops.log_sigmoid(scores)
        mask = value_mask
        if self.window is not None and not training:
            mask = self._windowed(value_mask, attention_state["previous_weights"])
        mask = None if mask is None else ops.expand_dims(mask, 1)
        weights = masked_softmax(scores, mask)
        attention_state = {
            "cumulative_weights": attention_state["cumulative_weights"] + weights[:, 0],
            "previous_weights": weights[:, 0],
        }
        return ops.cast(weights, self.compute_dtype), attention_state

    def _location_features(self, attention_state):
        channels = [attention_state[name] for name in FEATURES[self.features]]
        return ops.conv(
            ops.cast(ops.stack(channels, axis=-1), self.compute_dtype),
            self.cast(self.location_filters),
            padding="same",
            data_format="channels_last",
        )

    def _windowed(self, value_mask, previous_weights):
        back, ahead = self.window
        center = ops.expand_dims(ops.cast(ops.argmax(previous_weights, axis=-1), "int32"), -1)
        positions = ops.arange(ops.shape(previous_weights)[-1], dtype="int32")
        inside = ops.logical_and(positions >= center - back, positions <= center + ahead)
        if value_mask is None:
            return inside
        kept = ops.logical_and(inside, value_mask)
        return ops.where(ops.any(kept, axis=-1, keepdims=True), kept, value_mask)

    def get_config(self):
        return {
            **super().get_config(),
            "filters": self.filters,
            "kernel_size": self.kernel_size,
            "features": self.features,
            "window": self.window,
            "smoothing": self.smoothing,
        }


def _checked_window(window):
    if window is None:
        return None
    fits = isinstance(window, (tuple, list)) and len(window) == 2
    if not fits or not all(type(size) is int and size >= 0 for size in window):
        raise ValueError(
            "Argument `window` must be None or two integers (back, ahead) of at least 0. "
            f"Received: window={window}"
        )
    return tuple(window)
