"""From a SavedModel to the bytes of a compact, checked LiteRT file."""

import re

import flatbuffers
import tensorflow as tf
from ai_edge_litert import schema_py_generated as schema

from .quantization import narrow

# Kept out although the runtime knows them: state that outlives a call, and its names.
_STATEFUL = ("VAR_HANDLE", "READ_VARIABLE", "ASSIGN_VARIABLE", "CALL_ONCE")
_OPERATOR_NAMES = {
    code: name for name, code in vars(schema.BuiltinOperator).items() if isinstance(code, int)
}


class UnsupportedOperatorError(ValueError):
    """A converted graph needs operators that a plain LiteRT runtime does not have."""


def operator_names(content):
    """Names of all operators in a LiteRT file.

    Args:
        content: `bytes` of the file.

    Returns: sorted list of `str`: a builtin operator's name, or the custom operator's own name
        with the prefix `custom:`.
    """
    model = schema.Model.GetRootAsModel(content, 0)
    names = set()
    for graph in (model.Subgraphs(i) for i in range(model.SubgraphsLength())):
        for index in range(graph.OperatorsLength()):
            code = model.OperatorCodes(graph.Operators(index).OpcodeIndex())
            names.add(_operator_name(code))
    return sorted(names)


def _operator_name(code):
    # Files before schema version 3a keep codes below 127 in the older, smaller field.
    builtin = max(code.BuiltinCode(), code.DeprecatedBuiltinCode())
    if builtin == schema.BuiltinOperator.CUSTOM:
        return f"custom:{(code.CustomCode() or b'').decode('utf-8', 'replace')}"
    return _OPERATOR_NAMES.get(builtin, f"unknown:{builtin}")


def check_operators(content, custom_operators=()):
    """Refuses a LiteRT file that is not made of stateless builtin operators alone.

    Args:
        content: `bytes` of the file.
        custom_operators: names of custom operators that it may have besides.

    Returns: the names of the operators, see `operator_names`.

    Raises:
        UnsupportedOperatorError: naming the offending operators.
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


class _AlignedBuilder(flatbuffers.Builder):
    """Starts byte vectors at multiples of 16, as the schema asks of tensors' bytes.

    The generated Python code, unlike the C++ code, leaves that attribute of the schema out.
    """

    def StartVector(self, elemSize, numElems, alignment):
        return super().StartVector(elemSize, numElems, 16 if elemSize == 1 else alignment)


class _PackedOnce:
    """Quantization parameters that are written where they are first needed, and pointed at then.

    Every signature has tensors of its own for the weights that it shares, each with the scales of
    all rows.
    """

    def __init__(self, parameters):
        self._parameters = parameters
        self._offset = None

    def Pack(self, builder):
        if self._offset is None:
            self._offset = self._parameters.Pack(builder)
        return self._offset


def compact(content, description=None, four_bits=False):
    """Stores tensors of the same bytes once, what they were quantized with once, and few names.

    An embedding that is the output matrix too comes out of the converter as two int8 tensors.

    Args:
        content: `bytes` of a LiteRT file.
        description: what the new file says of itself, the old one's words by default.
        four_bits: whether matrices of int8 become INT4 where that changes nothing.

    Returns: `bytes` of a file that computes the same.
    """
    model = schema.ModelT.InitFromPackedBuf(bytearray(content), 0)
    if four_bits:
        narrow(model)
    model.description = description or model.description
    first_with, replacement = {}, {}
    for index, buffer in enumerate(model.buffers):
        # Index 0 is the empty buffer that tensors without content share.
        if index and buffer.data is not None and len(buffer.data):
            replacement[index] = first_with.setdefault(bytes(buffer.data), index)
    needed = {metadata.buffer for metadata in model.metadata or []}
    quantization_with = {}
    for graph in model.subgraphs:
        ends = {*graph.inputs, *graph.outputs}
        for index, tensor in enumerate(graph.tensors):
            # Nothing asks for the names of what is computed in between.
            tensor.name = tensor.name if index in ends else None
            tensor.buffer = replacement.get(tensor.buffer, tensor.buffer)
            needed.add(tensor.buffer)
            if tensor.quantization is not None and tensor.quantization.scale is not None:
                parameters = _bytes_of(tensor.quantization)
                once = _PackedOnce(tensor.quantization)
                tensor.quantization = quantization_with.setdefault(parameters, once)
    for index in replacement.keys() - needed:
        model.buffers[index].data = None
    builder = _AlignedBuilder(len(content))
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def _bytes_of(quantization):
    builder = flatbuffers.Builder()
    builder.Finish(quantization.Pack(builder))
    return bytes(builder.Output())


QUANTIZATIONS = ("float32", "int8", "int4")
_REFUSED = re.compile(r"'tf\.(\w+)' op is neither a custom op nor a flex op")


def convert(
    saved_model, signature_names, quantization="float32", *, custom_operators=(), description=None
):
    """Converts signatures of a SavedModel into one LiteRT file with shared weights.

    Args:
        saved_model: path of the SavedModel's directory.
        signature_names: list of `str`.
        quantization: `"float32"`; `"int8"` for int8 weights and products computed in int8
            ("dynamic range"); or `"int4"` for the same with matrices of four bits, where they are
            what `round_weights` left.
        custom_operators: names of the operators besides LiteRT's own that the file may need.
        description: what the file says of itself, the converter's words by default.

    Returns: `bytes` of the file.

    Raises:
        UnsupportedOperatorError: when the graph needs more than stateless builtin operators and
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
        operators = sorted(set(_REFUSED.findall(message)))
        raise UnsupportedOperatorError(
            "Expected a graph that LiteRT's builtin operators can express. "
            f"Received one that needs: {', '.join(operators) or ' '.join(message.split())[:300]}"
        ) from error
    content = compact(content, description, four_bits=quantization == "int4")
    check_operators(content, custom_operators)
    return content
