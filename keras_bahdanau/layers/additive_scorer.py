"""The learned score of additive attention: weights, keys, and what is done to them."""

import keras
from keras import ops

from keras_bahdanau.layers.additive_scores import additive_scores
from keras_bahdanau.layers.arguments import (
    check_attention_shapes,
    check_positive_integer,
    check_positive_number,
)
from keras_bahdanau.layers.deferred_gradients import Kernel, product
from keras_bahdanau.layers.layer_norm import normalized_pairs


class AdditiveScorer(keras.layers.Layer):
    """Scores every memory position against every query. The attention layers are scorers.

    `BahdanauAttention` documents the arguments.
    """

    def __init__(
        self,
        units,
        use_bias=False,
        normalize=False,
        layer_normalization=False,
        temperature=1.0,
        kernel_initializer="glorot_uniform",
        bias_initializer="zeros",
        kernel_regularizer=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.units = check_positive_integer("units", units)
        self.use_bias = use_bias
        self.normalize = normalize
        self.layer_normalization = layer_normalization
        self.temperature = check_positive_number("temperature", temperature)
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.bias_initializer = keras.initializers.get(bias_initializer)
        self.kernel_regularizer = keras.regularizers.get(kernel_regularizer)

    def build(self, query_shape, value_shape, key_shape=None):
        check_attention_shapes(query_shape, value_shape, key_shape)
        self.build_weights(query_shape[-1], value_shape[-1] if key_shape is None else key_shape[-1])
        self.built = True

    def build_weights(self, query_dim, key_dim):
        """Adds the weights of the score. A subclass adds its own to them."""
        self.query_kernel = self.add_kernel("query_kernel", (query_dim, self.units))
        self.key_kernel = self.add_kernel("key_kernel", (key_dim, self.units))
        self.scale = self.add_kernel("scale", (self.units,), regularizer=None)
        self.bias = self.gain = self.norm_gamma = self.norm_beta = None
        if self.use_bias or self.normalize:
            self.bias = self.add_weight(
                name="bias", shape=(self.units,), initializer=self.bias_initializer
            )
        if self.normalize:
            initial = keras.initializers.Constant(self.units**-0.5)
            self.gain = self.add_weight(name="gain", shape=(), initializer=initial)
        if self.layer_normalization:
            self.norm_gamma = self.add_weight(
                name="norm_gamma", shape=(self.units,), initializer="ones"
            )
            self.norm_beta = self.add_weight(
                name="norm_beta", shape=(self.units,), initializer="zeros"
            )

    def add_kernel(self, name, shape, **kwargs):
        """Adds a weight with the layer's `kernel_initializer` and `kernel_regularizer`."""
        initializer = self.kernel_initializer
        # An initializer object that is used twice would give equal values for equal shapes.
        initializer = initializer.clone() if hasattr(initializer, "clone") else initializer
        kwargs = {"regularizer": self.kernel_regularizer, **kwargs}
        return self.add_weight(name=name, shape=shape, initializer=initializer, **kwargs)

    @property
    def keys_dim(self):
        """Width of what `project_keys` returns."""
        return self.units

    def project_keys(self, value):
        """Projects a memory once: W_h h_j, plus the bias where there is one.

        Args:
            value: tensor of shape `(batch_size, value_length, key_dim)`.

        Returns:
            Tensor of shape `(batch_size, value_length, keys_dim)`, for `keys` of later calls.
        """
        keys = ops.matmul(ops.cast(value, self.compute_dtype), self.cast(self.key_kernel))
        return keys if self.bias is None else keys + self.cast(self.bias)

    def cast(self, weight):
        """A weight in the layer's compute dtype, also outside of `call`."""
        return ops.cast(weight, self.compute_dtype)

    def score(self, query, keys, features=None, feature_kernel=None):
        """Scores of every query against every memory position.

        Args:
            query: tensor of shape `(batch_size, query_length, query_dim)`.
            keys: tensor of shape `(batch_size, value_length, units)`.
            features: tensor of shape `(batch_size, query_length, value_length, filters)`, or
                `None`: features of the pairs, which `feature_kernel` of shape `(filters, units)`
                projects into the tanh.

        Returns:
            Tensor of shape `(batch_size, query_length, value_length)`, in float32 at least,
            divided by the temperature.
        """
        scale = ops.cast(self.scale, keras.backend.result_type(self.compute_dtype, "float32"))
        if self.normalize:
            scale = scale * (ops.cast(self.gain, scale.dtype) / ops.norm(scale))
        pairs = {
            "query": self._projected(ops.cast(query, self.compute_dtype)),
            "keys": ops.cast(keys, self.compute_dtype),
        }
        if features is not None:
            pairs["features"] = ops.cast(features, self.compute_dtype)
            pairs["feature_kernel"] = self.cast(feature_kernel)
        if self.layer_normalization:
            pairs = normalized_pairs(pairs, gamma=self.norm_gamma, beta=self.norm_beta)
        return additive_scores(**pairs, scale=scale / self.temperature)

    @property
    def product_factors(self):
        """What `score` multiplies by, for `over_steps`."""
        return [Kernel(self.query_kernel, None, self.compute_dtype)]

    def _projected(self, query):
        if query.shape[1] == 1:
            return ops.expand_dims(product(ops.squeeze(query, 1), self.query_kernel), 1)
        return product(query, self.query_kernel)

    def get_config(self):
        return {
            **super().get_config(),
            "units": self.units,
            "use_bias": self.use_bias,
            "normalize": self.normalize,
            "layer_normalization": self.layer_normalization,
            "temperature": self.temperature,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
            "bias_initializer": keras.initializers.serialize(self.bias_initializer),
            "kernel_regularizer": keras.regularizers.serialize(self.kernel_regularizer),
        }
