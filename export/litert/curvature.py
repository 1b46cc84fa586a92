"""How much errors in the weights of a model change what it says."""

from typing import NamedTuple

import numpy as np
import tensorflow as tf
from tqdm import tqdm

# A matrix of more outputs has too few samples for how they depend on each other: the vocabulary.
_MOST_OUTPUTS = 2048


class Curvature(NamedTuple):
    """Two factors of the curvature of a block of weights, see `curvatures_of`.

    With an error E of shape `(outputs, inputs)`, the divergence of what the model says from what
    it said before grows with trace(E inputs E' outputs).
    """

    inputs: np.ndarray  # float64 (inputs, inputs)
    outputs: np.ndarray | None  # float64 (outputs, outputs); `None`: all alike, independent


def curvatures_of(model, blocks, batches):
    """Estimates the curvature of the divergence between a model and itself with other weights.

    That is the Fisher information: the mean of g g' over gradients g of the log-probability of
    tokens that the model itself draws. For each block it is taken to be the product of a factor
    for its inputs and one for its outputs.

    Args:
        model: a built `TranslationModel`.
        blocks: list of `Block`.
        batches: list of `(source_ids, target_in_ids, target_mask)`, arrays of shapes
            `(batch_size, source_length)` and twice `(batch_size, target_length)`.

    Returns: list of `Curvature`, one for each block.

    Reference: Martens and Grosse 2015, https://arxiv.org/abs/1503.05671 (factors for each side).
    """
    variables = list({id(block.variable): block.variable for block in blocks}.values())

    @tf.function(
        input_signature=[
            tf.TensorSpec((None, None), tf.int32),
            tf.TensorSpec((None, None), tf.int32),
            tf.TensorSpec((None, None), tf.bool),
            tf.TensorSpec((), tf.int32),
        ]
    )
    def products(source_ids, target_in_ids, target_mask, seed):
        with tf.GradientTape() as tape:
            logits = model(
                {"source_ids": source_ids, "target_in_ids": target_in_ids}, training=False
            )
            logits = tf.boolean_mask(logits, target_mask)
            drawn = tf.random.stateless_categorical(tf.stop_gradient(logits), 1, [0, seed])
            loss = tf.reduce_sum(
                tf.nn.sparse_softmax_cross_entropy_with_logits(drawn[:, 0], logits)
            )
        gradients = tape.gradient(loss, [variable.value for variable in variables])
        by_variable = {
            id(variable): tf.zeros(variable.shape) if g is None else tf.convert_to_tensor(g)
            for variable, g in zip(variables, gradients, strict=True)
        }
        return [_factors(block, by_variable[id(block.variable)]) for block in blocks]

    sums = None
    for seed, batch in enumerate(tqdm(batches, "calibrating", unit=" batches", disable=None)):
        found = [[each.numpy() for each in pair] for pair in products(*batch, seed)]
        sums = _added(sums, found)
    return [Curvature(pair[0], pair[1] if len(pair) > 1 else None) for pair in sums]


def _factors(block, gradient):
    gradient = gradient[block.rows]
    if not block.rows_are_outputs:
        gradient = tf.transpose(gradient)
    factors = [tf.matmul(gradient, gradient, transpose_a=True)]
    if gradient.shape[0] <= _MOST_OUTPUTS:
        factors.append(tf.matmul(gradient, gradient, transpose_b=True))
    return factors


def _added(sums, found):
    if sums is None:
        return [[each.astype("float64") for each in pair] for pair in found]
    return [
        [total + each for total, each in zip(*pairs, strict=True)]
        for pairs in zip(sums, found, strict=True)
    ]
