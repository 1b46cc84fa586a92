"""Reads the signatures of a serialized MetaGraphDef without TensorFlow and without protobuf.

Field numbers: https://github.com/tensorflow/tensorflow/blob/master/tensorflow/core/protobuf/meta_graph.proto
Wire format: https://protobuf.dev/programming-guides/encoding/
"""

from collections.abc import Iterator
from typing import NamedTuple

SIGNATURES, INPUTS, OUTPUTS, MAP_KEY, MAP_VALUE, TENSOR_NAME = 5, 1, 2, 1, 2, 1


class Signature(NamedTuple):
    """One signature: public names to the graph's names of tensors, `operation:index`."""

    inputs: dict[str, str]
    outputs: dict[str, str]


def read_signatures(meta_graph: bytes) -> dict[str, Signature]:
    """Returns the signatures of a serialized MetaGraphDef, by their names."""
    signatures = {}
    for name, signature in _map_entries(meta_graph, SIGNATURES):
        signatures[name] = Signature(
            inputs=_tensor_names(signature, INPUTS), outputs=_tensor_names(signature, OUTPUTS)
        )
    return signatures


def fields(message: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Yields `(field_number, value)` of a message: an int for a varint, else bytes."""
    position = 0
    while position < len(message):
        tag, position = _read_varint(message, position)
        wire_type = tag & 7
        if wire_type == 0:
            value, position = _read_varint(message, position)
        elif wire_type in (1, 2, 5):
            length = {1: 8, 5: 4}.get(wire_type)
            if length is None:
                length, position = _read_varint(message, position)
            value = message[position : position + length]
            position += length
        else:
            raise ValueError(f"Expected a protobuf wire type of 0, 1, 2 or 5, received {wire_type}")
        yield tag >> 3, value


def _read_varint(message: bytes, position: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = message[position]
        position += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, position
        shift += 7


def _map_entries(message: bytes, number: int) -> Iterator[tuple[str, bytes]]:
    for field_number, entry in fields(message):
        if field_number == number:
            pair = dict(fields(entry))
            yield pair[MAP_KEY].decode(), pair.get(MAP_VALUE, b"")


def _tensor_names(signature: bytes, number: int) -> dict[str, str]:
    return {
        name: dict(fields(info))[TENSOR_NAME].decode()
        for name, info in _map_entries(signature, number)
    }
