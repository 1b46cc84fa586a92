"""Matrices of four bits a weight."""

import numpy as np
from ai_edge_litert import schema_py_generated as schema

TOP = 7
_INT8_TOP = 127
# What LiteRT's converter leaves in float32, so that nothing is won by rounding it.
_SMALLEST = 1024
# Shares of a row's greatest weight that are tried as the greatest number of the row.
_CLIPPED = np.linspace(1.0, 0.65, 8)


def round_to_four_bits(model):
    """Rounds the matrices of a model, in place, to what four bits can say: whole numbers from -7
    to 7 times a scale for each row (of an embedding) or column (of a kernel).

    Each scale is the one of the least squared error among some: a row of many weights gains more
    from finer steps than it loses by cutting off its greatest ones.

    Args:
        model: a built `keras.Model` that computes in float32.
    """
    for variable in model.weights:
        is_matrix = len(variable.shape) == 2 and np.prod(variable.shape) >= _SMALLEST
        # A bias of two rows, as a GRU has, is no matrix.
        if is_matrix and min(variable.shape) > 2:
            matrix = np.array(variable, "float64")
            rows_are_outputs = variable.name == "embeddings"
            rounded = rounded_rows(matrix if rows_are_outputs else matrix.T)
            variable.assign(rounded if rows_are_outputs else rounded.T)


def rounded_rows(matrix):
    """The nearest matrix of rows of four bits; see `round_to_four_bits`."""
    best, least = np.zeros_like(matrix), np.full((len(matrix), 1), np.inf)
    greatest = np.abs(matrix).max(axis=1, keepdims=True)
    for share in _CLIPPED:
        scale = np.maximum(share * greatest / TOP, np.finfo("float32").tiny)
        rounded = np.clip(np.rint(matrix / scale), -TOP, TOP) * scale
        error = np.square(rounded - matrix).sum(axis=1, keepdims=True)
        best = np.where(error < least, rounded, best)
        least = np.minimum(error, least)
    return best


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
                tensor.buffer, factor = narrowed[tensor.buffer], _INT8_TOP / TOP
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
    four_bits = np.rint(numbers * (TOP / _INT8_TOP))
    is_exact = (np.rint(four_bits * (_INT8_TOP / TOP)) == numbers).all()
    if width % 2 or len(tensor.quantization.scale) != rows or not is_exact:
        return None
    buffer = schema.BufferT()
    buffer.data = packed(four_bits.astype("int8")).view("uint8").reshape(-1)
    model.buffers.append(buffer)
    return len(model.buffers) - 1
