"""`python -m keras_bahdanau.training` is the command `keras-bahdanau train`."""

import sys

from keras_bahdanau.command_line import program

sys.exit(program("train"))
