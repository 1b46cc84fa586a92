"""Weights that a LiteRT file would hold twice."""

import flatbuffers
from ai_edge_litert import schema_py_generated as schema


class _AlignedBuilder(flatbuffers.Builder):
    """Starts byte vectors at multiples of 16, as the schema asks of tensors' bytes.

    The generated Python code, unlike the C++ code, leaves that attribute of the schema out.
    """

    def StartVector(self, elemSize, numElems, alignment):
        return super().StartVector(elemSize, numElems, 16 if elemSize == 1 else alignment)


def merge_equal_buffers(content):
    """Stores tensors of the same bytes once.

    An embedding that is the output matrix too comes out of the converter as two int8 tensors.

    Args:
        content: `bytes` of a LiteRT file.

    Returns: `bytes` of a file that computes the same.
    """
    model = schema.ModelT.InitFromPackedBuf(bytearray(content), 0)
    first_with, replacement = {}, {}
    for index, buffer in enumerate(model.buffers):
        # Index 0 is the empty buffer that tensors without content share.
        if index and buffer.data is not None and len(buffer.data):
            replacement[index] = first_with.setdefault(bytes(buffer.data), index)
    needed = {metadata.buffer for metadata in model.metadata or []}
    for graph in model.subgraphs:
        for tensor in graph.tensors:
            tensor.buffer = replacement.get(tensor.buffer, tensor.buffer)
            needed.add(tensor.buffer)
    for index in replacement.keys() - needed:
        model.buffers[index].data = None
    builder = _AlignedBuilder(len(content))
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())
