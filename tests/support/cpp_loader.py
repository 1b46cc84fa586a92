"""Answers requests with a SavedModel through TensorFlow's C++ loader, without TensorFlow's Python.

    python tests/support/cpp_loader.py SAVED_MODEL_DIR < requests.json > answers.json

The requests are a JSON list of `{"signature": name, "inputs": {name: [text, ...]}}`, where a text
that is not UTF-8 is written as `{"b64": ...}`. The answer is a JSON object: `load_seconds`,
`signatures` (the names of the inputs and outputs of each), and `answers`, for each request
`{output: nested list}` or `{"error": message}`.
"""

import base64
import json
import sys
import time
from pathlib import Path

from c_api import Library, SavedModel


def to_bytes(text: str | dict[str, str]) -> bytes:
    """Returns the bytes of a text of a request."""
    return base64.b64decode(text["b64"]) if isinstance(text, dict) else text.encode()


def to_json(value: bytes | float) -> object:
    """Returns the value of a tensor as JSON has it."""
    if not isinstance(value, bytes):
        return value
    try:
        return value.decode()
    except UnicodeDecodeError:
        return {"b64": base64.b64encode(value).decode()}


def nested(shape: list[int], values: list) -> object:
    """Returns row-major `values` as nested lists of `shape`."""
    if not shape:
        return values[0]
    size = len(values) // shape[0] if shape[0] else 0
    return [
        nested(shape[1:], values[index * size : (index + 1) * size]) for index in range(shape[0])
    ]


def answer(model: SavedModel, request: dict) -> dict:
    """Runs one request."""
    inputs = {name: [to_bytes(text) for text in texts] for name, texts in request["inputs"].items()}
    try:
        outputs = model.run(request["signature"], inputs)
    except (RuntimeError, ValueError) as error:
        return {"error": str(error)}
    return {
        name: nested(shape, [to_json(value) for value in values])
        for name, (shape, values) in outputs.items()
    }


def main() -> None:
    """Reads the requests, writes the answers, and makes sure that TensorFlow's Python is absent."""
    if len(sys.argv) != 2:
        sys.exit("Expected one argument, the SavedModel directory. Usage:\n" + __doc__)
    requests = json.load(sys.stdin)
    library = Library()
    start = time.perf_counter()
    model = SavedModel(library, Path(sys.argv[1]))
    report = {
        "load_seconds": time.perf_counter() - start,
        "signatures": {
            name: {"inputs": sorted(signature.inputs), "outputs": sorted(signature.outputs)}
            for name, signature in model.signatures.items()
        },
        "answers": [answer(model, request) for request in requests],
    }
    if "tensorflow" in sys.modules:
        sys.exit("Expected a process without TensorFlow's Python, but `tensorflow` was imported")
    json.dump(report, sys.stdout, ensure_ascii=False)


if __name__ == "__main__":
    main()
