"""`python -m keras_bahdanau` is the command `keras-bahdanau`."""

import sys

from keras_bahdanau.command_line import program

sys.exit(program())
