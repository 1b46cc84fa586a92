"""Weights of a model as whole numbers times scales, before the converter makes them so."""

import math
from typing import NamedTuple

import keras
import numpy as np
from tqdm import tqdm

from keras_bahdanau.export.litert.error_feedback import rounded_with_feedback

# What LiteRT's converter leaves in float32, so that nothing is won by rounding it.
_SMALLEST = 1024
# Shares of a row's greatest weight that are tried as the greatest number of a row of four bits. Of
# eight bits, the steps are so fine that cutting off costs more than it gains.
_CLIPPED = {4: np.linspace(1.0, 0.65, 8), 8: np.ones(1)}


class Block(NamedTuple):
    """A matrix that a file quantizes on its own: some rows of a variable, or all of them."""

    variable: keras.Variable
    rows: slice
    rows_are_outputs: bool

    def of(self, array):
        """This block of an array like the variable, as a view: a row for each output."""
        return array[self.rows] if self.rows_are_outputs else array[self.rows].T


def blocks_of(model):
    """The blocks of all matrices of a `TranslationModel`, a list.

    The kernel of the readout has three: see `Stepper`.
    """
    readout = model.decoder.readout.kernel
    blocks = []
    for variable in model.weights:
        is_matrix = len(variable.shape) == 2 and math.prod(variable.shape) >= _SMALLEST
        # A bias of two rows, as a GRU has, is no matrix.
        if is_matrix and min(variable.shape) > 2:
            rows = [slice(None)]
            if variable is readout:
                rows = _parts(readout.shape[0], model.decoder)
            rows_are_outputs = variable.name == "embeddings"
            blocks += [Block(variable, part, rows_are_outputs) for part in rows]
    return blocks


def _parts(width, decoder):
    units, embedding_dim = decoder.units, decoder.embedding.output_dim
    return [
        slice(0, units),
        slice(units, width - embedding_dim),
        slice(width - embedding_dim, width),
    ]


def round_weights(model, bits, curvatures=None):
    """Rounds the matrices of a model, in place, to what `bits` bits can say: whole numbers between
    -top and top (7 or 127) times a scale for each row (of an embedding) or column (of a kernel).

    In each there is one of -top or top, so that the converter finds the same scale.

    Args:
        model: a built `TranslationModel` that computes in float32.
        bits: 4 or 8.
        curvatures: a `Curvature` for each of `blocks_of(model)`, to round so that the model's
            answers change least; without it each weight becomes the nearest number.
    """
    blocks = blocks_of(model)
    curvatures = curvatures or [None] * len(blocks)
    bar = tqdm(blocks, "rounding", unit=" matrices", disable=None)
    for block, curvature in zip(bar, curvatures, strict=True):
        whole = np.array(block.variable, "float64")
        part = block.of(whole)
        part[:] = rounded_rows(part, bits, curvature)
        block.variable.assign(whole)


def rounded_rows(matrix, bits, curvature=None):
    """A matrix of rows of so many bits; see `round_weights`.

    Each row's scale is the one of the least squared error among some: a row of many weights gains
    more from finer steps than it loses by cutting off its greatest ones.
    """
    matrix, top = np.asarray(matrix, "float64"), 2 ** (bits - 1) - 1
    greatest = np.abs(matrix).max(axis=1, keepdims=True)
    best, least = np.ones_like(greatest), np.full_like(greatest, np.inf)
    for share in _CLIPPED[bits]:
        scale = np.maximum(share * greatest / top, np.finfo("float32").tiny)
        numbers = np.clip(np.rint(matrix / scale), -top, top)
        error = np.square(numbers * scale - matrix).sum(axis=1, keepdims=True)
        best = np.where(error < least, scale, best)
        least = np.minimum(error, least)
    if curvature is None:
        return np.clip(np.rint(matrix / best), -top, top) * best
    return rounded_with_feedback(matrix / best, top, best[:, 0], curvature) * best
