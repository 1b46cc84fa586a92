"""Runs the signatures of an exported directory for a program in another language.

    python signature_server.py DIRECTORY

Each line of standard input is `{"name": signature, "inputs": {tensor: [numbers]}}`, each line of
output `{tensor: [numbers]}`. It ends with its input.
"""

import json
import sys
from pathlib import Path

import numpy as np
from ai_edge_litert.interpreter import Interpreter


def serve(directory):
    manifest = json.loads((directory / "manifest.json").read_text(encoding="utf-8"))
    interpreter = Interpreter(str(directory / "translator.tflite"), num_threads=1)
    for line in sys.stdin:
        request = json.loads(line)
        tensors = manifest["signatures"][request["name"]]["inputs"]
        inputs = {
            name: np.array(values, tensors[name]["dtype"]).reshape(tensors[name]["shape"])
            for name, values in request["inputs"].items()
        }
        outputs = interpreter.get_signature_runner(request["name"])(**inputs)
        answer = {name: values.ravel().tolist() for name, values in outputs.items()}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    serve(Path(sys.argv[1]))
