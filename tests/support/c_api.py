"""TensorFlow's C API through ctypes: runs a SavedModel with no TensorFlow Python in the process.

This is the loader that TensorFlow Serving has. A SavedModel that Python's `tf.saved_model.load`
runs may still fail here (keras#19274), so this one decides whether an export works.
"""

import ctypes
import importlib.util
import struct
import threading
from ctypes import c_char_p, c_int, c_int64, c_size_t, c_void_p
from pathlib import Path

from meta_graph import Signature, read_signatures

FLOAT, INT32, STRING, INT64, BOOL = 1, 3, 7, 9, 10
NUMBER_FORMATS = {FLOAT: "f", INT32: "i", INT64: "q", BOOL: "?"}
STRING_SIZE = 24  # sizeof(TF_TString)


class Buffer(ctypes.Structure):
    _fields_ = [("data", c_void_p), ("length", c_size_t), ("deallocator", c_void_p)]


class Output(ctypes.Structure):
    _fields_ = [("operation", c_void_p), ("index", c_int)]


PROTOTYPES = {
    "TF_AllocateTensor": (c_void_p, [c_int, c_void_p, c_int, c_size_t]),
    "TF_DeleteTensor": (None, [c_void_p]),
    "TF_Dim": (c_int64, [c_void_p, c_int]),
    "TF_GetCode": (c_int, [c_void_p]),
    "TF_GraphOperationByName": (c_void_p, [c_void_p, c_char_p]),
    "TF_LoadLibrary": (c_void_p, [c_char_p, c_void_p]),
    "TF_LoadSessionFromSavedModel": (c_void_p, [c_void_p, c_void_p, c_char_p, c_void_p, c_int]
                                     + [c_void_p, c_void_p, c_void_p]),
    "TF_Message": (c_char_p, [c_void_p]),
    "TF_NewBuffer": (ctypes.POINTER(Buffer), []),
    "TF_NewGraph": (c_void_p, []),
    "TF_NewSessionOptions": (c_void_p, []),
    "TF_NewStatus": (c_void_p, []),
    "TF_NumDims": (c_int, [c_void_p]),
    "TF_SessionRun": (None, [c_void_p, c_void_p, c_void_p, c_void_p, c_int, c_void_p, c_void_p]
                      + [c_int, c_void_p, c_int, c_void_p, c_void_p]),
    "TF_StringCopy": (None, [c_void_p, c_char_p, c_size_t]),
    "TF_StringGetDataPointer": (c_void_p, [c_void_p]),
    "TF_StringGetSize": (c_size_t, [c_void_p]),
    "TF_StringDealloc": (None, [c_void_p]),
    "TF_StringInit": (None, [c_void_p]),
    "TF_TensorByteSize": (c_size_t, [c_void_p]),
    "TF_TensorData": (c_void_p, [c_void_p]),
    "TF_TensorType": (c_int, [c_void_p]),
}  # fmt: skip


def _package_file(package: str, relative: str) -> Path:
    """Finds a file of an installed package without importing the package."""
    spec = importlib.util.find_spec(package)
    if spec is None:
        raise FileNotFoundError(f"Expected the Python package {package!r} to be installed")
    path = Path(spec.submodule_search_locations[0], relative)
    if not path.is_file():
        raise FileNotFoundError(f"Expected a file of the package {package!r} at {path}")
    return path


class Library:
    """TensorFlow's shared library with tensorflow-text's SentencePiece operations registered."""

    def __init__(self):
        framework = _package_file("tensorflow", "libtensorflow_framework.so.2")
        ctypes.CDLL(str(framework), mode=ctypes.RTLD_GLOBAL)
        self._library = ctypes.CDLL(
            str(_package_file("tensorflow", "libtensorflow_cc.so.2")), mode=ctypes.RTLD_GLOBAL
        )
        for name, (result, arguments) in PROTOTYPES.items():
            function = getattr(self._library, name)
            function.restype, function.argtypes = result, arguments
            setattr(self, name, function)
        self._of_thread = threading.local()
        operations = _package_file("tensorflow_text", "python/ops/_sentencepiece_tokenizer.so")
        self.TF_LoadLibrary(str(operations).encode(), self.status)
        self.check(f"loading {operations}")

    @property
    def status(self) -> int:
        """What the calls of this thread report to."""
        if not hasattr(self._of_thread, "status"):
            self._of_thread.status = self.TF_NewStatus()
        return self._of_thread.status

    def check(self, action: str) -> None:
        """Raises `RuntimeError` with TensorFlow's message if the last call failed."""
        if self.TF_GetCode(self.status):
            message = self.TF_Message(self.status).decode(errors="replace")
            raise RuntimeError(f"{action} failed: {message}")

    def string_tensor(self, strings: list[bytes]) -> int:
        """Returns a new string tensor of shape `(len(strings),)`."""
        dimensions = (c_int64 * 1)(len(strings))
        tensor = self.TF_AllocateTensor(STRING, dimensions, 1, STRING_SIZE * len(strings))
        data = self.TF_TensorData(tensor)
        for index, string in enumerate(strings):
            self.TF_StringInit(data + STRING_SIZE * index)
            self.TF_StringCopy(data + STRING_SIZE * index, string, len(string))
        return tensor

    def delete_strings(self, tensor: int) -> None:
        """Deletes a tensor that `string_tensor` made, with its strings."""
        data = self.TF_TensorData(tensor)
        for index in range(self.TF_Dim(tensor, 0)):
            self.TF_StringDealloc(data + STRING_SIZE * index)
        self.TF_DeleteTensor(tensor)

    def read_tensor(self, tensor: int) -> tuple[list[int], list]:
        """Returns the shape of a tensor and its values in row-major order (bytes or numbers)."""
        shape = [self.TF_Dim(tensor, axis) for axis in range(self.TF_NumDims(tensor))]
        data, size = self.TF_TensorData(tensor), self.TF_TensorByteSize(tensor)
        data_type = self.TF_TensorType(tensor)
        if data_type == STRING:
            places = range(data, data + size, STRING_SIZE) if size else ()
            return shape, [
                ctypes.string_at(self.TF_StringGetDataPointer(place), self.TF_StringGetSize(place))
                for place in places
            ]
        if data_type not in NUMBER_FORMATS:
            raise TypeError(f"Expected numbers, booleans or strings, received type {data_type}")
        number = struct.Struct(NUMBER_FORMATS[data_type])
        values = number.iter_unpack(ctypes.string_at(data, size) if size else b"")
        return shape, [value for (value,) in values]


class SavedModel:
    """A session over a SavedModel directory, loaded with the tag `serve`.

    Attributes:
        signatures: the `Signature` of each name.
    """

    def __init__(self, library: Library, directory: Path):
        self._library = library
        self._graph = library.TF_NewGraph()
        meta_graph = library.TF_NewBuffer()
        tags = (c_char_p * 1)(b"serve")
        self._session = library.TF_LoadSessionFromSavedModel(
            library.TF_NewSessionOptions(), None, str(directory).encode(), tags, 1,
            self._graph, meta_graph, library.status,
        )  # fmt: skip
        library.check(f"loading the SavedModel {directory}")
        buffer = meta_graph.contents
        self.signatures = read_signatures(ctypes.string_at(buffer.data, buffer.length))

    def run(self, name: str, inputs: dict[str, list[bytes]]) -> dict[str, tuple[list[int], list]]:
        """Runs a signature on string inputs of shape `(batch,)`.

        Returns:
            `(shape, flat values)` of each output.
        """
        if name not in self.signatures:
            raise ValueError(f"Expected a signature of {sorted(self.signatures)}, received {name}")
        signature: Signature = self.signatures[name]
        if sorted(inputs) != sorted(signature.inputs):
            raise ValueError(
                f"Expected the inputs {sorted(signature.inputs)} of the signature {name}, "
                f"received {sorted(inputs)}"
            )
        library, count = self._library, len(signature.outputs)
        feeds = [self._output(signature.inputs[key]) for key in inputs]
        fetches = [self._output(tensor) for tensor in signature.outputs.values()]
        tensors = [library.string_tensor(strings) for strings in inputs.values()]
        results = (c_void_p * count)()
        library.TF_SessionRun(
            self._session, None,
            (Output * len(feeds))(*feeds), (c_void_p * len(feeds))(*tensors), len(feeds),
            (Output * count)(*fetches), results, count, None, 0, None, library.status,
        )  # fmt: skip
        library.check(f"running the signature {name}")
        answers = {
            key: library.read_tensor(tensor)
            for key, tensor in zip(signature.outputs, results, strict=True)
        }
        for tensor in tensors:
            library.delete_strings(tensor)
        for tensor in results:
            library.TF_DeleteTensor(tensor)
        return answers

    def _output(self, tensor_name: str) -> Output:
        operation_name, _, index = tensor_name.partition(":")
        operation = self._library.TF_GraphOperationByName(self._graph, operation_name.encode())
        if not operation:
            raise RuntimeError(f"Expected the operation {operation_name} in the graph, found none")
        return Output(operation, int(index or 0))
