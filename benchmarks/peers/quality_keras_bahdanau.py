"""Runs `keras-bahdanau train` with a clock for what is training in it.

The arguments are those of the command. Before each validation one JSON object goes to standard
error: CPU and wall seconds spent in `fit` so far, checkpoints included, validation not. The
command's own lines tell the BLEU.
"""

import json
import sys

import keras
from timed_run import Clock

from keras_bahdanau.command_line import main


def time_training():
    """Makes every `fit` of a Keras model run the clock."""
    clock, fit = Clock(), keras.Model.fit

    def timed_fit(self, *arguments, **options):
        clock.start()
        history = fit(self, *arguments, **options)
        clock.stop()
        print(json.dumps(vars(clock)), file=sys.stderr, flush=True)
        return history

    keras.Model.fit = timed_fit


if __name__ == "__main__":
    time_training()
    sys.exit(main(["train", *sys.argv[1:]]))
