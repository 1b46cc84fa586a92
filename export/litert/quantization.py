"""Quantization: calibrated rounding of weights, and packing of int4."""

import math
from typing import NamedTuple

import keras
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from tqdm import tqdm

from .error_feedback import rounded_with_feedback

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


_TOP, _INT8_TOP = 7, 127


def packed(numbers):
    """Two numbers of four bits in each byte, the first in its lower half.

    Args:
        numbers: int array with values from -8 to 7, an even number of them in the last dimension.

    Returns: int8 array of half the width.
    """
    pairs = numbers.astype("uint8").reshape(*numbers.shape[:-1], -1, 2)
    return ((pairs[..., 0] & 15) | (pairs[..., 1] << 4)).astype("int8")


def narrow(model):
    """Turns matrices of int8 into INT4 where that changes nothing.

    Those are the ones of FULLY_CONNECTED whose rows hold the numbers that the converter makes of
    rows of four bits.

    Args:
        model: a `ModelT` of LiteRT's schema; changed in place.
    """
    narrowed = {}
    for graph in model.subgraphs:
        for index in _matrices(model, graph):
            tensor = graph.tensors[index]
            content = model.buffers[tensor.buffer].data
            scales = None if tensor.quantization is None else tensor.quantization.scale
            if tensor.type != schema.TensorType.INT8 or content is None or scales is None:
                continue
            if tensor.buffer not in narrowed:
                narrowed[tensor.buffer] = _narrowed(model, tensor, content)
            if narrowed[tensor.buffer] is not None:
                tensor.buffer, factor = narrowed[tensor.buffer], _INT8_TOP / _TOP
                tensor.type = schema.TensorType.INT4
                tensor.quantization.scale = (np.float64(scales) * factor).astype("float32")


def _matrices(model, graph):
    for operator in graph.operators:
        code = model.operatorCodes[operator.opcodeIndex]
        if schema.BuiltinOperator.FULLY_CONNECTED in (code.builtinCode, code.deprecatedBuiltinCode):
            yield operator.inputs[1]


def _narrowed(model, tensor, content):
    """The number of a new buffer with the same matrix, or `None`."""
    rows, width = map(int, tensor.shape)
    numbers = np.frombuffer(bytes(content), "int8").reshape(rows, width)
    four_bits = np.rint(numbers * (_TOP / _INT8_TOP))
    is_exact = (np.rint(four_bits * (_INT8_TOP / _TOP)) == numbers).all()
    if width % 2 or len(tensor.quantization.scale) != rows or not is_exact:
        return None
    buffer = schema.BufferT()
    buffer.data = packed(four_bits.astype("int8")).view("uint8").reshape(-1)
    model.buffers.append(buffer)
    return len(model.buffers) - 1
