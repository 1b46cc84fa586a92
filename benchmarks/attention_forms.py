"""Additive attention in several forms, and their training step, for `attention.py`."""

import keras
import numpy as np
from keras import ops

from keras_bahdanau import AttentionRNN, BahdanauAttention


class NaiveSum(BahdanauAttention):
    """The score as TensorFlow Addons and Keras compute it: sum over units of v * tanh(q + k).

    The tanh of every pair of query and memory position is one tensor of shape `(batch_size,
    query_length, value_length, units)`, and so is its product with v; the backward pass needs both.
    """

    def score(self, projected_query, keys, features=None, feature_kernel=None):
        return ops.sum(self.scale * self.hidden(projected_query, keys), axis=-1)

    def hidden(self, projected_query, keys):
        return ops.tanh(ops.expand_dims(projected_query, 2) + ops.expand_dims(keys, 1))


class NaiveProduct(NaiveSum):
    """The same score as a matrix product of tanh and v, which stores only the tanh."""

    def score(self, projected_query, keys, features=None, feature_kernel=None):
        product = ops.matmul(self.hidden(projected_query, keys), ops.expand_dims(self.scale, 1))
        return ops.squeeze(product, -1)


_ATTENTIONS = {"naive sum": NaiveSum, "naive product": NaiveProduct}


def make_form(table, form, units):
    """Makes a layer with all widths equal, which `keras.layers.AdditiveAttention` requires.

    Args:
        table: a key of `measuring.FORMS`.
        form: one of `measuring.FORMS[table]`.
        units: width of query, memory and of the layer.

    Returns:
        `(layer, call)`: the layer, not built yet, and a function of query (in a recurrent form:
        inputs) and value that calls it and returns the list of outputs that a loss would depend on.
    """
    if form == "AdditiveAttention":
        layer = keras.layers.AdditiveAttention()
        return layer, lambda query, value: [layer([query, value])]
    attention = _ATTENTIONS.get(form, BahdanauAttention)(units)
    if table == "attention":
        return attention, lambda query, value: [attention(query, value)]
    recurrent = AttentionRNN(keras.layers.GRUCell(units), attention)
    return recurrent, lambda query, value: list(recurrent(query, value)[:2])


def random_inputs(size):
    """Query of shape `(batch_size, query_length, units)` and value, arrays of float32."""
    batch_size, query_length, value_length, units = size
    random = np.random.default_rng(0)
    return [
        random.standard_normal((batch_size, length, units), dtype="float32")
        for length in (query_length, value_length)
    ]


def training_step(layer, call, arrays):
    """Builds the layer and compiles forward and backward pass as `fit` does on this backend.

    Args:
        layer: layer that `call` calls.
        call: function of the tensors of `arrays` that returns a list of tensors.
        arrays: list of arrays.

    Returns:
        Function without arguments that returns the gradients of the outputs' mean squares with
        respect to `arrays` and the layer's weights, a list of computed tensors.
    """
    call(*(ops.convert_to_tensor(array[:1, :2]) for array in arrays))

    def loss(*tensors):
        return sum(ops.mean(ops.square(output)) for output in call(*tensors))

    return _STEPS[keras.backend.backend()](layer, loss, arrays)


def _tensorflow_step(layer, loss, arrays):
    import tensorflow as tf

    tensors = [tf.constant(array) for array in arrays]
    weights = [variable.value for variable in layer.trainable_variables]

    @tf.function
    def gradients(*tensors):
        with tf.GradientTape() as tape:
            tape.watch(tensors)
            value = loss(*tensors)
        return tape.gradient(value, [*tensors, *weights])

    return lambda: gradients(*tensors)


def _jax_step(layer, loss, arrays):
    import jax

    tensors = [jax.numpy.asarray(array) for array in arrays]
    variables = layer.trainable_variables
    weights = [variable.value for variable in variables]

    def stateless_loss(tensors, weights):
        with keras.StatelessScope(state_mapping=zip(variables, weights, strict=True)):
            return loss(*tensors)

    gradients = jax.jit(jax.grad(stateless_loss, argnums=(0, 1)))

    def step():
        of_tensors, of_weights = jax.block_until_ready(gradients(tensors, weights))
        return [*of_tensors, *of_weights]

    return step


def _torch_step(layer, loss, arrays):
    import torch

    tensors = [torch.tensor(array, requires_grad=True) for array in arrays]
    weights = [variable.value for variable in layer.trainable_variables]
    return lambda: list(torch.autograd.grad(loss(*tensors), [*tensors, *weights]))


_STEPS = {"tensorflow": _tensorflow_step, "jax": _jax_step, "torch": _torch_step}
