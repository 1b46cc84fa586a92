"""The command `keras-bahdanau`. Nothing heavy is imported before a subcommand runs."""

from keras_bahdanau.command_line.main import main as main
from keras_bahdanau.command_line.main import program as program
