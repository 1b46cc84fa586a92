"""`python -m keras_bahdanau.export` is the command `keras-bahdanau export`."""

import sys

from keras_bahdanau.command_line import program

sys.exit(program("export"))
