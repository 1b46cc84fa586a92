"""Training runs in processes of their own, and what they leave."""

import subprocess
import sys
import time

from keras_bahdanau.training.array_file import read_arrays
from keras_bahdanau.training.checkpoints import read_progress

OPTIONS = {
    "vocabulary_size": 60,
    "embedding_dim": 16,
    "encoder_units": 16,
    "decoder_units": 16,
    "attention_units": 16,
    "dropout": 0.1,
    "batch_size": 16,
    "epochs": 3,
    "warmup_steps": 5,
    "checkpoint_every": 3,
}
# For what does not depend on the decoder: half of what such a run takes is making its graph, of
# which the conditional GRU has more.
PLAIN_OPTIONS = {**OPTIONS, "order": "before"}


def start_train(directory, files, first="pass", **changes):
    """Starts `keras-bahdanau train` in a process of its own, after a line of Python."""
    values = {**OPTIONS, **changes}
    options = [f"--{name.replace('_', '-')}={value}" for name, value in values.items()]
    texts = f"--train={files[0]}", f"--validation={files[1]}", f"--output={directory}"
    code = f"import os, resource, sys; {first}; from keras_bahdanau.command_line import program"
    command = [sys.executable, "-c", f"{code}; sys.exit(program())"]
    return subprocess.Popen(
        [*command, "train", "--export=none", *options, *texts], stderr=subprocess.PIPE, text=True
    )


def end_of(process):
    """The exit code of a process, and the lines of its standard error."""
    _, errors = process.communicate()
    return process.returncode, errors.splitlines()


def states(directory):
    """The checkpoints of a run, the newest one last."""
    return sorted((directory / "checkpoints").glob("state-*.npz"))


def wait_for_states(process, directory, count):
    while len(states(directory)) < count and process.poll() is None:
        time.sleep(0.002)


def final_state(directory):
    return {name: array for name, array in read_arrays(states(directory)[-1]) if name != "progress"}


def progress_of(directory):
    return read_progress(states(directory)[-1])
