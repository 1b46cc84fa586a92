"""Weight quantization: rounding of matrices to int8 or int4, and storing them as int4 in a file."""

import math
from typing import NamedTuple

import keras
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from tqdm import tqdm

from .error_feedback import round_with_feedback

# LiteRT's converter leaves smaller matrices in float32.
_MIN_WEIGHTS = 1024
# Clipping: shares of a row's largest absolute weight that are tried as its largest quantized value.
# With 8 bits, finer steps gain less than clipping costs.
_CLIPPING = {4: np.linspace(1.0, 0.65, 8), 8: np.ones(1)}


def round_weights(model, bits, curvatures=None):
    """Rounds the matrices of a model, in place, to values that `bits` bits can represent.

    These are integers from -top to top (127 or 7) times a scale per output channel: per row of an
    embedding, per column of a kernel. Each channel contains -top or top, so that the converter
    derives the same scale.

    Args:
        model: a built `TranslationModel` that computes in float32.
        bits: 4 or 8.
        curvatures: a `Curvature` for each of `weight_matrices(model)`, to minimise the change of
            the model's output distribution (see `round_with_feedback`); without them, each weight
            is rounded to the nearest value.
    """
    matrices = weight_matrices(model)
    curvatures = curvatures or [None] * len(matrices)
    bar = tqdm(matrices, "rounding", unit=" matrices", disable=None)
    for matrix, curvature in zip(bar, curvatures, strict=True):
        weights = np.array(matrix.variable, "float64")
        view = matrix.of(weights)
        view[:] = round_rows(view, bits, curvature)
        matrix.variable.assign(weights)


class WeightMatrix(NamedTuple):
    """A matrix that is quantized on its own: a variable, or some of its rows."""

    variable: keras.Variable
    rows: slice
    rows_are_outputs: bool

    def of(self, array):
        """View of this matrix in an array of the variable's shape: `(outputs, inputs)`."""
        return array[self.rows] if self.rows_are_outputs else array[self.rows].T


def weight_matrices(model):
    """The matrices of a `TranslationModel` that are quantized: list of `WeightMatrix`.

    The kernel of the readout consists of three, see `Stepper`.
    """
    readout = model.decoder.readout.kernel
    matrices = []
    for variable in model.weights:
        is_matrix = len(variable.shape) == 2 and math.prod(variable.shape) >= _MIN_WEIGHTS
        # The bias of a GRU has two rows.
        if is_matrix and min(variable.shape) > 2:
            slices = [slice(None)]
            if variable is readout:
                slices = _readout_slices(readout.shape[0], model.decoder)
            rows_are_outputs = variable.name == "embeddings"
            matrices += [WeightMatrix(variable, rows, rows_are_outputs) for rows in slices]
    return matrices


def _readout_slices(width, decoder):
    units, embedding_dim = decoder.units, decoder.embedding.output_dim
    return [
        slice(0, units),
        slice(units, width - embedding_dim),
        slice(width - embedding_dim, width),
    ]


def round_rows(matrix, bits, curvature=None):
    """Rounds each row of a matrix to integers times a scale; see `round_weights`.

    The scale is the candidate with the least squared error: a row of many weights gains more from
    finer steps than it loses by clipping its largest ones.

    Args:
        matrix: float array of shape `(outputs, inputs)`.
        bits: 4 or 8.
        curvature: a `Curvature` for error feedback, or `None` to round to the nearest.

    Returns: float64 array of the same shape.
    """
    matrix, top = np.asarray(matrix, "float64"), 2 ** (bits - 1) - 1
    largest = np.abs(matrix).max(axis=1, keepdims=True)
    scales, least = np.ones_like(largest), np.full_like(largest, np.inf)
    for share in _CLIPPING[bits]:
        candidate = np.maximum(share * largest / top, np.finfo("float32").tiny)
        integers = np.clip(np.rint(matrix / candidate), -top, top)
        error = np.square(integers * candidate - matrix).sum(axis=1, keepdims=True)
        scales = np.where(error < least, candidate, scales)
        least = np.minimum(error, least)
    if curvature is None:
        return np.clip(np.rint(matrix / scales), -top, top) * scales
    return round_with_feedback(matrix / scales, top, scales[:, 0], curvature) * scales


_INT4_TOP, _INT8_TOP = 7, 127


def narrow_to_int4(model):
    """Converts int8 matrices of a LiteRT file to int4 where that is lossless.

    These are the matrices of FULLY_CONNECTED whose int8 values are what the converter makes of
    rows that were rounded to 4 bits.

    Args:
        model: a `ModelT` of LiteRT's schema; changed in place.
    """
    narrowed = {}
    for graph in model.subgraphs:
        for index in _product_matrices(model, graph):
            tensor = graph.tensors[index]
            content = model.buffers[tensor.buffer].data
            scales = None if tensor.quantization is None else tensor.quantization.scale
            if tensor.type != schema.TensorType.INT8 or content is None or scales is None:
                continue
            if tensor.buffer not in narrowed:
                narrowed[tensor.buffer] = _add_int4_buffer(model, tensor, content)
            if narrowed[tensor.buffer] is not None:
                tensor.buffer, factor = narrowed[tensor.buffer], _INT8_TOP / _INT4_TOP
                tensor.type = schema.TensorType.INT4
                tensor.quantization.scale = (np.float64(scales) * factor).astype("float32")


def _product_matrices(model, graph):
    for operator in graph.operators:
        code = model.operatorCodes[operator.opcodeIndex]
        if schema.BuiltinOperator.FULLY_CONNECTED in (code.builtinCode, code.deprecatedBuiltinCode):
            yield operator.inputs[1]


def _add_int4_buffer(model, tensor, content):
    """Index of a new buffer with the matrix in int4, or `None` where int4 cannot represent it."""
    rows, width = map(int, tensor.shape)
    int8 = np.frombuffer(bytes(content), "int8").reshape(rows, width)
    int4 = np.rint(int8 * (_INT4_TOP / _INT8_TOP))
    is_lossless = (np.rint(int4 * (_INT8_TOP / _INT4_TOP)) == int8).all()
    if width % 2 or len(tensor.quantization.scale) != rows or not is_lossless:
        return None
    buffer = schema.BufferT()
    buffer.data = pack_int4(int4.astype("int8")).view("uint8").reshape(-1)
    model.buffers.append(buffer)
    return len(model.buffers) - 1


def pack_int4(integers):
    """Packs pairs of 4-bit integers into bytes, the first of a pair in the lower half.

    Args:
        integers: int array with values from -8 to 7 and an even last dimension.

    Returns: int8 array, the last dimension halved.
    """
    pairs = integers.astype("uint8").reshape(*integers.shape[:-1], -1, 2)
    return ((pairs[..., 0] & 15) | (pairs[..., 1] << 4)).astype("int8")
