"""Translates with `translator_text.tflite`, one LiteRT file from text to text.

`keras-bahdanau export my-model --format litert --text --output on-device` writes the file. Its
tokenizer is made of tensorflow-text's operators for LiteRT, so that a program in Python needs
neither Keras nor SentencePiece, and no code but this. A text beyond the model's limit is cut off.
Phones and browsers have no such operators: they run `translator.tflite`, with a tokenizer beside
it.

Prints one line for each text, or for each line of standard input.
"""

import argparse
import sys

import numpy as np
import tensorflow_text
from ai_edge_litert.interpreter import InterpreterWithCustomOps


def main(arguments=None):
    options = _parser().parse_args(arguments)
    interpreter = InterpreterWithCustomOps(
        model_path=options.file,
        custom_op_registerers=tensorflow_text.tflite_registrar.SELECT_TFTEXT_OPS,
    )
    run = interpreter.get_signature_runner("translate" if options.greedy else "translate_beam")
    for text in options.texts or sys.stdin:
        given = np.array([text.rstrip("\n").encode()], "object")
        (translation,) = run(text=given)["translation"]
        print(translation.decode())


def _parser():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("file", help="the path of translator_text.tflite")
    parser.add_argument("texts", nargs="*", help="what to translate; none: standard input")
    parser.add_argument("--greedy", action="store_true", help="no beam search: faster")
    return parser


if __name__ == "__main__":
    main()
