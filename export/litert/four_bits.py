"""Matrices of four bits a weight, two in a byte."""

import numpy as np
from ai_edge_litert import schema_py_generated as schema

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
