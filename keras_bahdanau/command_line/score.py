"""`keras-bahdanau score`."""

from keras_bahdanau.command_line.lines import print_line
from keras_bahdanau.command_line.parser import positive_integer

DESCRIPTION = """\
Print the log-probability (natural logarithm, the end token included) of each line of --target as
the translation of the same line of --source, by teacher forcing.

MODEL is any model that `keras-bahdanau translate` takes, except a LiteRT file.
"""
EPILOG = """\
example:
  keras-bahdanau score my-model --source test.en --target candidates.de
"""
# Pairs that are batched by length and scored together.
BLOCK = 4096


def add_arguments(parser):
    parser.add_argument("model", metavar="MODEL", help="model directory, SavedModel or HOST:PORT")
    parser.add_argument("--source", required=True, help="text file, plain or .gz")
    parser.add_argument("--target", required=True, help="text file, plain or .gz, as many lines")
    parser.add_argument("--batch-size", type=positive_integer, default=64, help="pairs at once")


def run(arguments):
    from keras_bahdanau.training.corpora.parallel_text import blocks, read_parallel

    pairs = read_parallel(arguments.source, arguments.target)

    from keras_bahdanau.loading import open_translator

    translator = open_translator(arguments.model)
    for block in blocks(pairs, BLOCK):
        for score in translator.score(*zip(*block, strict=True), batch_size=arguments.batch_size):
            print_line(f"{score:.6f}")
