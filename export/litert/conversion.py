"""From a SavedModel to a LiteRT file: convert, store equal weights once, check operators."""

import re

import flatbuffers
import tensorflow as tf
from ai_edge_litert import schema_py_generated as schema

from .quantization import narrow_to_int4

QUANTIZATIONS = ("float32", "int8", "int4")
# Operators of the runtime that are refused all the same: variables keep state between calls.
_STATEFUL = ("VAR_HANDLE", "READ_VARIABLE", "ASSIGN_VARIABLE", "CALL_ONCE")
_OPERATOR_NAMES = {
    code: name for name, code in vars(schema.BuiltinOperator).items() if isinstance(code, int)
}
_UNSUPPORTED = re.compile(r"'tf\.(\w+)' op is neither a custom op nor a flex op")


class UnsupportedOperatorError(ValueError):
    """The graph needs operators that are not stateless builtin operators of LiteRT."""


def convert(
    saved_model, signature_names, quantization="float32", *, custom_operators=(), description=None
):
    """Converts signatures of a SavedModel to one LiteRT file in which they share the weights.

    Args:
        saved_model: path of the SavedModel's directory.
        signature_names: list of `str`.
        quantization: `"float32"`; `"int8"` for dynamic-range quantization (int8 weights, matrix
            products in int8); or `"int4"` for the same with int4 matrices, which `round_weights`
            must have rounded to 4 bits.
        custom_operators: names of custom operators that the file may need.
        description: description stored in the file, the converter's by default.

    Returns: `bytes` of the file.

    Raises:
        UnsupportedOperatorError: the graph needs operators other than stateless builtin ones and
            `custom_operators`.
    """
    converter = tf.lite.TFLiteConverter.from_saved_model(
        str(saved_model), signature_keys=list(signature_names)
    )
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
    converter.allow_custom_ops = bool(custom_operators)
    if quantization != "float32":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    try:
        content = converter.convert()
    except Exception as error:
        message = str(error)
        operators = sorted(set(_UNSUPPORTED.findall(message)))
        raise UnsupportedOperatorError(
            "Expected a graph that LiteRT's builtin operators can express. "
            f"Received one that needs: {', '.join(operators) or ' '.join(message.split())[:300]}"
        ) from error
    content = compact(content, description, use_int4=quantization == "int4")
    check_operators(content, custom_operators)
    return content


def compact(content, description=None, use_int4=False):
    """Removes duplicate buffers, duplicate quantization parameters and names of intermediates.

    The converter stores tied weights, such as an embedding that is also the output matrix, twice.

    Args:
        content: `bytes` of a LiteRT file.
        description: description stored in the new file, the old one's by default.
        use_int4: whether int8 matrices become int4 where that is lossless.

    Returns: `bytes` of an equivalent file.
    """
    model = schema.ModelT.InitFromPackedBuf(bytearray(content), 0)
    if use_int4:
        narrow_to_int4(model)
    model.description = description or model.description
    first_with, replacement = {}, {}
    for index, buffer in enumerate(model.buffers):
        # Buffer 0 is the empty one of all tensors without constant content.
        if index and buffer.data is not None and len(buffer.data):
            replacement[index] = first_with.setdefault(bytes(buffer.data), index)
    needed = {metadata.buffer for metadata in model.metadata or []}
    shared_parameters = {}
    for graph in model.subgraphs:
        ends = {*graph.inputs, *graph.outputs}
        for index, tensor in enumerate(graph.tensors):
            # Only inputs and outputs are looked up by name.
            tensor.name = tensor.name if index in ends else None
            tensor.buffer = replacement.get(tensor.buffer, tensor.buffer)
            needed.add(tensor.buffer)
            if tensor.quantization is not None and tensor.quantization.scale is not None:
                shared = _SharedParameters(tensor.quantization)
                key = _bytes_of(tensor.quantization)
                tensor.quantization = shared_parameters.setdefault(key, shared)
    for index in replacement.keys() - needed:
        model.buffers[index].data = None
    builder = _AlignedBuilder(len(content))
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def _bytes_of(quantization):
    builder = flatbuffers.Builder()
    builder.Finish(quantization.Pack(builder))
    return bytes(builder.Output())


class _SharedParameters:
    """Quantization parameters that are written once and referenced by all tensors that have them.

    Signatures share the buffers of weights but not their tensors, each of which has the scales of
    all rows.
    """

    def __init__(self, parameters):
        self._parameters = parameters
        self._offset = None

    def Pack(self, builder):
        if self._offset is None:
            self._offset = self._parameters.Pack(builder)
        return self._offset


class _AlignedBuilder(flatbuffers.Builder):
    """Aligns byte vectors to 16 bytes, as the schema demands for the content of buffers.

    The Python code generated from the schema ignores this attribute (`force_align`).
    """

    def StartVector(self, elemSize, numElems, alignment):
        return super().StartVector(elemSize, numElems, 16 if elemSize == 1 else alignment)


def check_operators(content, custom_operators=()):
    """Checks that a LiteRT file needs stateless builtin operators only.

    Args:
        content: `bytes` of the file.
        custom_operators: names of custom operators that are allowed, too.

    Returns: the names of the operators, see `operator_names`.

    Raises:
        UnsupportedOperatorError: it needs others; the message names them.
    """
    names = operator_names(content)
    allowed = {f"custom:{name}" for name in custom_operators}
    refused = [
        name
        for name in names
        if name in _STATEFUL or (name.startswith(("custom:", "unknown:")) and name not in allowed)
    ]
    if refused:
        raise UnsupportedOperatorError(
            "Expected a LiteRT file of stateless builtin operators only. "
            f"Received one that needs: {', '.join(refused)}"
        )
    return names


def operator_names(content):
    """Names of all operators in a LiteRT file, those in the bodies of loops included.

    Args:
        content: `bytes` of the file.

    Returns: sorted list of `str`; names of custom operators have the prefix `custom:`.
    """
    model = schema.Model.GetRootAsModel(content, 0)
    names = set()
    for graph in (model.Subgraphs(i) for i in range(model.SubgraphsLength())):
        for index in range(graph.OperatorsLength()):
            code = model.OperatorCodes(graph.Operators(index).OpcodeIndex())
            names.add(_operator_name(code))
    return sorted(names)


def _operator_name(code):
    # Files of older schemas have the code in the 8-bit field `deprecated_builtin_code`.
    builtin = max(code.BuiltinCode(), code.DeprecatedBuiltinCode())
    if builtin == schema.BuiltinOperator.CUSTOM:
        return f"custom:{(code.CustomCode() or b'').decode('utf-8', 'replace')}"
    return _OPERATOR_NAMES.get(builtin, f"unknown:{builtin}")
