"""Base class of the additive attention layers: weights, scores, calling convention."""

import keras
from keras import ops

from keras_bahdanau.backend.numerics import matmul
from keras_bahdanau.layers.additive_scores import additive_scores, normalized_pairs
from keras_bahdanau.layers.arguments import (
    check_attention_call,
    check_attention_shapes,
    check_positive_integer,
    check_positive_number,
    check_rate,
)
from keras_bahdanau.time_loop.scan import scan
from keras_bahdanau.time_loop.weight_gradients import Kernel


class BaseAdditiveAttention(keras.layers.Layer):
    """Additive attention without its normalization: a subclass turns scores into weights.

    A call is, with the paper's symbols:

        W_h h_j                                     `project_keys`
        W_s s_i                                     `project_query`
        e_ij = v^T tanh(W_s s_i + W_h h_j)          `score`
        alpha_ij, from e_ij                         `weigh`, which a subclass defines
        c_i = sum_j alpha_ij h_j                    `call`

    `BahdanauAttention` documents arguments, call arguments and results. A subclass whose weights
    depend on those of previous steps names in `state_names` what it needs of them: the attention
    state, a dict of tensors of shape `(batch_size, value_length)`, which is passed in and returned
    and never stored on the layer.
    """

    state_names = ()

    def __init__(
        self,
        units,
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
        super().__init__(**kwargs)
        self.units = check_positive_integer("units", units)
        self.use_bias = use_bias
        self.normalize = normalize
        self.layer_normalization = layer_normalization
        self.temperature = check_positive_number("temperature", temperature)
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.bias_initializer = keras.initializers.get(bias_initializer)
        self.kernel_regularizer = keras.regularizers.get(kernel_regularizer)
        self.dropout = check_rate("dropout", dropout)
        self.position_dropout = check_rate("position_dropout", position_dropout)
        self.seed = seed
        draws = dropout or position_dropout
        self.seed_generator = keras.random.SeedGenerator(seed) if draws else None
        self.supports_masking = True

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
        attention_state=None,
        return_attention_state=False,
    ):
        check_attention_call(self, query, value, key, keys, query_mask, value_mask, attention_state)
        if keys is None:
            keys = self.project_keys(value if key is None else key)
        if attention_state is None:
            attention_state = self.get_initial_state(value)
        attention_state = {
            name: ops.cast(state, self.state_dtype) for name, state in attention_state.items()
        }

        one_step = len(query.shape) == 2
        queries = ops.expand_dims(query, 1) if one_step else query
        value = self.drop_positions(value, training)
        shape = (*ops.shape(queries)[:2], ops.shape(value)[1])
        noise = self.draw_noise(*shape, training)
        dropout_mask = self.draw_dropout_mask(*shape, training)
        weights, attention_state = self._weigh_all(
            queries, keys, value_mask, attention_state, training, noise
        )
        kept = weights if dropout_mask is None else weights * dropout_mask
        context = ops.matmul(kept, value)

        if training and not one_step:
            self.add_losses(weights, query_mask)
        if one_step:
            context, weights = context[:, 0], weights[:, 0]
        if query_mask is not None:
            context = context * ops.cast(ops.expand_dims(query_mask, -1), context.dtype)
        return _requested(
            context, weights, attention_state, return_attention_scores, return_attention_state
        )

    def _weigh_all(self, queries, keys, value_mask, attention_state, training, noise):
        """`weigh` for all queries: at once, or one after the other where there is a state."""
        if not self.state_names:
            projected = self.project_query(queries)
            return self.weigh(projected, keys, value_mask, attention_state, training, noise)

        def step(inputs, states, constants, matmul):
            (query, noise), (keys, value_mask) = inputs, constants
            weights, state = self.weigh(
                ops.expand_dims(self.project_query(query, matmul), 1),
                keys,
                value_mask,
                dict(zip(self.state_names, states, strict=True)),
                training,
                None if noise is None else ops.expand_dims(noise, 1),
            )
            return weights[:, 0], [state[name] for name in self.state_names]

        states = [attention_state[name] for name in self.state_names]
        weights, states = scan(step, [queries, noise], states, (keys, value_mask))
        return weights, dict(zip(self.state_names, states, strict=True))

    def project_query(self, query, matmul=matmul):
        """Projects queries: W_s s_i.

        Args:
            query: tensor of shape `(batch_size, query_dim)` or
                `(batch_size, query_length, query_dim)`.
            matmul: what a `scan` passes to its steps.

        Returns:
            Tensor with `units` for `query_dim`.
        """
        return matmul(ops.cast(query, self.compute_dtype), self.query_kernel)

    def project_keys(self, value):
        """Projects a memory once for many queries: W_h h_j, plus the bias where there is one.

        Args:
            value: tensor of shape `(batch_size, value_length, key_dim)`.

        Returns:
            Tensor of shape `(batch_size, value_length, keys_dim)`, for `keys` of later calls.
        """
        keys = ops.matmul(ops.cast(value, self.compute_dtype), self.cast(self.key_kernel))
        return keys if self.bias is None else keys + self.cast(self.bias)

    @property
    def keys_dim(self):
        """Width of what `project_keys` returns."""
        return self.units

    def score(self, projected_query, keys, features=None, feature_kernel=None):
        """Scores of every query against every memory position: v^T tanh(W_s s_i + W_h h_j).

        Args:
            projected_query: tensor of shape `(batch_size, query_length, units)`, from
                `project_query`.
            keys: tensor of shape `(batch_size, value_length, units)`, from `project_keys`.
            features: tensor of shape `(batch_size, query_length, value_length, filters)`, or
                `None`: features of each pair of query and position, which `feature_kernel` of
                shape `(filters, units)` projects into the tanh.

        Returns:
            Tensor of shape `(batch_size, query_length, value_length)`, in float32 at least,
            divided by the temperature.
        """
        scale = ops.cast(self.scale, self.state_dtype)
        if self.normalize:
            scale = scale * (ops.cast(self.gain, scale.dtype) / ops.norm(scale))
        pairs = {"query": projected_query, "keys": ops.cast(keys, self.compute_dtype)}
        if features is not None:
            pairs["features"] = ops.cast(features, self.compute_dtype)
            pairs["feature_kernel"] = self.cast(feature_kernel)
        if self.layer_normalization:
            pairs = normalized_pairs(pairs, gamma=self.norm_gamma, beta=self.norm_beta)
        return additive_scores(**pairs, scale=scale / self.temperature)

    def weigh(self, projected_query, keys, value_mask, attention_state, training, noise=None):
        """The weights of every memory position for every query.

        Args:
            projected_query: tensor of shape `(batch_size, query_length, units)`, from
                `project_query`; for a layer with state, `query_length` is 1.
            keys: tensor of shape `(batch_size, value_length, keys_dim)`.
            value_mask: bool tensor of shape `(batch_size, value_length)`, or `None`.
            attention_state: dict as `get_initial_state` returns it.
            training: whether this is training.
            noise: what `draw_noise` returned for these queries.

        Returns:
            `(weights, attention_state)`: a tensor of shape
            `(batch_size, query_length, value_length)` in the compute dtype, and the next state.
        """
        raise NotImplementedError

    def get_initial_state(self, value):
        """The attention state before the first query.

        Args:
            value: the memory, a tensor of shape `(batch_size, value_length, value_dim)`.

        Returns:
            dict of tensors of shape `(batch_size, value_length)` in `state_dtype`, one for each of
            `state_names`.
        """
        shape = ops.shape(value)[:2]
        return {name: ops.zeros(shape, dtype=self.state_dtype) for name in self.state_names}

    @property
    def state_dtype(self):
        """Dtype of scores and states, float32 at least: half precision is too coarse for sums."""
        return keras.backend.result_type(self.compute_dtype, "float32")

    # Random numbers. They are drawn for all queries at once, before a loop over time: inside the
    # loop, not every backend can draw.

    def drop_positions(self, value, training):
        """Drops memory positions at the rate `position_dropout`, in training.

        The mask, of shape `(batch_size, value_length, 1)`, is one for all queries.

        Args:
            value: tensor of shape `(batch_size, value_length, value_dim)`.
            training: whether this is training.

        Returns:
            Tensor of the shape of `value`.
        """
        if not (training and self.position_dropout):
            return value
        ones = ops.ones_like(value[..., :1])
        return value * keras.random.dropout(ones, self.position_dropout, seed=self.seed_generator)

    def draw_noise(self, batch_size, query_length, value_length, training):
        """Noise for `weigh`: `(batch_size, query_length, value_length)`, or `None`."""
        return None

    def draw_dropout_mask(self, batch_size, query_length, value_length, training):
        """Dropout mask of the weights, one for each query.

        Returns:
            Tensor of shape `(batch_size, query_length, value_length)` of zeros and
            1 / (1 - dropout), or `None` where nothing is dropped.
        """
        if not (training and self.dropout):
            return None
        ones = ops.ones((batch_size, query_length, value_length), dtype=self.compute_dtype)
        return keras.random.dropout(ones, self.dropout, seed=self.seed_generator)

    def add_losses(self, attention_scores, query_mask=None):
        """Adds the layer's own loss on its weights, where it has one, in training.

        Args:
            attention_scores: tensor of shape `(batch_size, query_length, value_length)`.
            query_mask: bool tensor of shape `(batch_size, query_length)`, or `None`.
        """

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

    def cast(self, weight):
        """A weight in the layer's compute dtype, also outside of `call`."""
        return ops.cast(weight, self.compute_dtype)

    @property
    def kernels(self):
        """The kernels of `project_query`, whose gradients `scan` accumulates after the loop."""
        return [Kernel(self.query_kernel, None, self.compute_dtype)]

    def compute_mask(self, inputs, previous_mask=None):
        # Keras keeps the query's mask, that of the first argument; the contexts have the same.
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
        attention_state=None,
        return_attention_state=False,
    ):
        check_attention_call(self, query, value, key, keys, query_mask, value_mask, attention_state)

        def spec(*shape, dtype=self.compute_dtype):
            return keras.KerasTensor(shape, dtype=dtype)

        return _requested(
            spec(*query.shape[:-1], value.shape[-1]),
            spec(*query.shape[:-1], value.shape[1]),
            {name: spec(*value.shape[:2], dtype=self.state_dtype) for name in self.state_names},
            return_attention_scores,
            return_attention_state,
        )

    def get_config(self):
        return {
            **super().get_config(),
            "units": self.units,
            "use_bias": self.use_bias,
            "normalize": self.normalize,
            "layer_normalization": self.layer_normalization,
            "temperature": self.temperature,
            "dropout": self.dropout,
            "position_dropout": self.position_dropout,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
            "bias_initializer": keras.initializers.serialize(self.bias_initializer),
            "kernel_regularizer": keras.regularizers.serialize(self.kernel_regularizer),
            "seed": self.seed,
        }


def _requested(context, weights, state, return_attention_scores, return_attention_state):
    results = [context]
    if return_attention_scores:
        results.append(weights)
    if return_attention_state:
        results.append(state)
    return tuple(results) if len(results) > 1 else context
