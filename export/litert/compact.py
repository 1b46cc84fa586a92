"""What a LiteRT file holds twice, or for nothing."""

import flatbuffers
from ai_edge_litert import schema_py_generated as schema

from keras_bahdanau.export.litert.four_bits import narrow


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
