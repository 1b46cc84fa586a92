"""This package's searches: in Python, and as a SavedModel through TensorFlow's C++ loader.

Text in, text out, with the tokenizer. The second has no TensorFlow Python in its process.
"""

import argparse
import json
import sys
from pathlib import Path

import timed_run

INTERFACES = ("translator", "saved-model")
TESTS = Path(__file__).parents[2] / "tests"


def translator(directory, beam_width, batch_size):
    """A function from texts to translations in Python."""
    from keras_bahdanau import Translator

    found = Translator.load(directory)
    return lambda texts: found.translate(texts, beam_width=beam_width, batch_size=batch_size)


def saved_model(directory, _, batch_size):
    """The same with an exported SavedModel, whose beam width is its own."""
    # The loader that the tests of the export use.
    sys.path.insert(0, str(TESTS))
    from c_api import Library, SavedModel

    model = SavedModel(Library(), Path(directory))

    def translate(texts):
        found = [None] * len(texts)
        for indices in timed_run.sentences_sorted_by_length(texts, batch_size):
            batch = [texts[index].encode() for index in indices]
            _, translations = model.run("serving_default", {"text": batch})["translation"]
            for index, translation in zip(indices, translations, strict=True):
                found[index] = translation.decode()
        return found

    return translate


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path, help="a model directory, or a version of a SavedModel")
    parser.add_argument("--interface", choices=INTERFACES, required=True)
    parser.add_argument("--source", type=Path, required=True, help="a sentence a line")
    parser.add_argument("--decode", type=int, nargs=2, metavar=("BEAM", "BATCH"), required=True)
    parser.add_argument("--sentences", type=int, default=1000)
    options = parser.parse_args()
    make = {"translator": translator, "saved-model": saved_model}[options.interface]
    texts = options.source.read_text(encoding="utf-8").splitlines()
    found = timed_run.timed_translation(
        make(options.model, *options.decode),
        timed_run.spread(texts, options.sentences),
        warm_up=2 * options.decode[1],
    )
    print(json.dumps(found), flush=True)


if __name__ == "__main__":
    main()
