"""Calibration of quantization: Kronecker-factored Fisher information on sample texts."""

from typing import NamedTuple

import numpy as np
import tensorflow as tf
from tqdm import tqdm

from keras_bahdanau.errors import InputError
from keras_bahdanau.text.tokenizer import PAD_ID, SPECIAL_IDS, by_length, pad_ids

# More texts take time and hardly change the result.
MAX_TEXTS = 3200
# Small: the estimate gains more from many batches than from large ones.
_BATCH_SIZE = 16
# A matrix with more outputs (the vocabulary) has too few samples for their covariance.
_MAX_OUTPUTS = 2048


class Curvature(NamedTuple):
    """Kronecker factors of the Fisher information of a weight matrix.

    An error E of shape `(outputs, inputs)` in the weights raises the KL divergence between the
    model's output distributions before and after by an amount proportional to
    trace(E inputs E' outputs).
    """

    inputs: np.ndarray  # float64 (inputs, inputs)
    outputs: np.ndarray | None  # float64 (outputs, outputs); `None` stands for the identity


def estimate_curvatures(model, matrices, batches):
    """Estimates the Fisher information of weight matrices: the curvature of the KL divergence.

    It is the mean of g g' over gradients g of the log-probability of tokens drawn from the model's
    own distribution, approximated by the Kronecker product of one factor for the inputs and one
    for the outputs of each matrix.

    Args:
        model: a built `TranslationModel`.
        matrices: list of `WeightMatrix`.
        batches: list of `(source_ids, target_in_ids, target_mask)`, arrays of shapes
            `(batch_size, source_length)` and twice `(batch_size, target_length)`.

    Returns: list of `Curvature`, one for each matrix.

    Reference: Martens and Grosse 2015 (K-FAC), https://arxiv.org/abs/1503.05671.
    """
    variables = list({id(matrix.variable): matrix.variable for matrix in matrices}.values())

    @tf.function(
        input_signature=[
            tf.TensorSpec((None, None), tf.int32),
            tf.TensorSpec((None, None), tf.int32),
            tf.TensorSpec((None, None), tf.bool),
            tf.TensorSpec((), tf.int32),
        ]
    )
    def factors(source_ids, target_in_ids, target_mask, seed):
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
        return [_factors(matrix, by_variable[id(matrix.variable)]) for matrix in matrices]

    sums = None
    for seed, batch in enumerate(tqdm(batches, "calibrating", unit=" batches", disable=None)):
        found = [[factor.numpy() for factor in pair] for pair in factors(*batch, seed)]
        sums = _add(sums, found)
    return [Curvature(pair[0], pair[1] if len(pair) > 1 else None) for pair in sums]


def _factors(matrix, gradient):
    """Both Gram matrices of a batch's gradient, or that of the inputs alone."""
    gradient = gradient[matrix.rows]
    if not matrix.rows_are_outputs:
        gradient = tf.transpose(gradient)
    factors = [tf.matmul(gradient, gradient, transpose_a=True)]
    if gradient.shape[0] <= _MAX_OUTPUTS:
        factors.append(tf.matmul(gradient, gradient, transpose_b=True))
    return factors


def _add(sums, found):
    if sums is None:
        return [[factor.astype("float64") for factor in pair] for pair in found]
    return [
        [total + factor for total, factor in zip(*pairs, strict=True)]
        for pairs in zip(sums, found, strict=True)
    ]


def calibration_batches(translator, texts):
    """Batches of texts and their greedy translations, for teacher forcing.

    Args:
        translator: a `Translator`.
        texts: texts in the source language. Of more than `MAX_TEXTS`, so many are taken at equal
            distances; texts that are empty or longer than the model's limit are left out.

    Returns: list of `(source_ids, target_in_ids, target_mask)`, see `estimate_curvatures`.

    Raises:
        InputError: no text is left.
    """
    texts, config = list(texts), translator.config
    spacing = max(len(texts) / MAX_TEXTS, 1.0)
    taken = [texts[int(place)] for place in np.arange(0, len(texts), spacing)]
    pairs = [
        (source_ids, target_ids)
        for source_ids, target_ids in zip(*_ids(translator, taken), strict=True)
        if 1 < len(source_ids) <= config["max_length"]
        and len(target_ids) <= config["max_target_length"]
    ]
    if not pairs:
        raise InputError(
            "Expected texts to calibrate on, at least one that is neither empty nor longer than "
            f"{config['max_length']} pieces. Received: {len(texts)} texts, all empty or too long"
        )
    return [
        _batch(*zip(*(pairs[index] for index in indices), strict=True))
        for indices in by_length([len(target_ids) for _, target_ids in pairs], _BATCH_SIZE)
    ]


def _ids(translator, texts):
    """Ids of the texts and of their translations, each with the end token."""
    translations = translator.translate(texts, beam_width=1)
    end = [SPECIAL_IDS["end_id"]]
    return (
        [ids + end for ids in translator.tokenizer.encode_all(side)]
        for side in (texts, translations)
    )


def _batch(source_ids, target_ids):
    target_ids = pad_ids(target_ids)
    start = np.full((len(target_ids), 1), SPECIAL_IDS["start_id"], "int32")
    target_in_ids = np.concatenate([start, target_ids[:, :-1]], axis=1)
    return pad_ids(source_ids), target_in_ids, target_ids != PAD_ID
