"""OpenNMT-tf's beam search with the weights of this package's model: see `search_quality.py`.

Its `dynamic_decode` calls the signatures `encode` and `decode_step` of a LiteRT file for logits, a
row at a time, by the interpreter of the TensorFlow that it runs on.
"""

import argparse
import json
import sys

import numpy as np
import tensorflow as tf
from opennmt.utils.decoding import BeamSearch, dynamic_decode

IMPOSSIBLE = -1e9


class Model:
    """The two signatures.

    Args:
        path: the LiteRT file.
        never: ids that are not generated.
    """

    def __init__(self, path, never):
        interpreter = tf.lite.Interpreter(path, num_threads=1)
        self._encode, self._step = map(interpreter.get_signature_runner, ("encode", "decode_step"))
        details = self._encode.get_input_details()["source_ids"]
        self._capacity, self._never = details["shape"][1], never

    def read(self, source_ids):
        """Encodes a source; returns the states of the decoder, a dict of rows."""
        self._length = np.array([len(source_ids)], "int32")
        padded = np.zeros((1, self._capacity), "int32")
        padded[0, : len(source_ids)] = source_ids
        found = self._encode(source_ids=padded, source_length=self._length)
        self._memory = {name: found.pop(name) for name in ("memory", "keys")}
        return found

    def step(self, token_ids, _, states):
        """Logits after a token for each row, and the states then."""
        rows = []
        for row, token_id in enumerate(token_ids.numpy()):
            rows.append(
                self._step(
                    token_id=np.array([token_id], "int32"),
                    source_length=self._length,
                    **self._memory,
                    **{name: state[row : row + 1].numpy() for name, state in states.items()},
                )
            )
        logits = np.concatenate([row["logits"] for row in rows])
        logits[:, self._never] = IMPOSSIBLE
        return tf.constant(logits), {
            name: tf.constant(np.concatenate([row[name] for row in rows])) for name in states
        }


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", help="a .tflite file")
    parser.add_argument("--beam-width", type=int, default=5)
    parser.add_argument("--length-penalty", type=float, default=1.0)
    parser.add_argument("--start", type=int, required=True, metavar="ID")
    parser.add_argument("--end", type=int, required=True, metavar="ID")
    parser.add_argument("--never", type=int, nargs="*", default=[], metavar="ID")
    options = parser.parse_args()
    model = Model(options.model, options.never)
    search = BeamSearch(options.beam_width, length_penalty=options.length_penalty)
    translations = []
    for line in sys.stdin:
        asked = json.loads(line)
        states = model.read(asked["source_ids"])
        tiled = {name: np.repeat(state, options.beam_width, 0) for name, state in states.items()}
        found = dynamic_decode(
            model.step,
            tf.constant([options.start]),
            end_id=options.end,
            initial_state={name: tf.constant(state) for name, state in tiled.items()},
            decoding_strategy=search,
            maximum_iterations=asked["max_length"],
        )
        ids = found.ids[0, 0, : found.lengths[0, 0]].numpy().tolist()
        translations.append(ids[:-1] if ids[-1:] == [options.end] else ids)
    print(json.dumps({"translations": translations}))


if __name__ == "__main__":
    main()
