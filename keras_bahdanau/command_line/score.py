"""`keras-bahdanau score`."""

from keras_bahdanau.command_line.lines import blocks, print_line
from keras_bahdanau.command_line.parser import positive_integer

DESCRIPTION = """\
Print the log-probability (natural logarithm, the end token included) that a model gives to each
line of --target as the translation of the same line of --source.
"""
EPILOG = """\
example:
  keras-bahdanau score my-model --source test.en --target candidates.de
"""
BLOCK = 4096


def add_arguments(parser):
    parser.add_argument("model", metavar="DIR", help="a trained model directory")
    parser.add_argument("--source", required=True, help="text file, plain or .gz")
    parser.add_argument("--target", required=True, help="text file, plain or .gz, as many lines")
    parser.add_argument("--batch-size", type=positive_integer, default=64, help="pairs at once")


def run(arguments):
    from keras_bahdanau.training.corpora.parallel_text import read_parallel

    pairs = read_parallel(arguments.source, arguments.target)

    from keras_bahdanau.command_line.models import open_trained_translator

    translator = open_trained_translator(arguments.model)
    for block in blocks(pairs, BLOCK):
        for score in translator.score(*zip(*block, strict=True), batch_size=arguments.batch_size):
            print_line(f"{score:.6f}")
