"""Keras and TensorFlow imported with nothing on the screen, and native log lines kept off it."""

import contextlib
import logging
import os
import sys
from collections.abc import Iterator


@contextlib.contextmanager
def silenced_native_logs() -> Iterator[None]:
    """Drops what native code writes to standard error inside the block.

    TensorFlow's runtime and converter log there whatever `TF_CPP_MIN_LOG_LEVEL` says. Python's
    own `sys.stderr` still reaches the screen, and errors come out as exceptions as ever.
    """
    if sys.stderr is not None:
        sys.stderr.flush()
    try:
        screen = os.dup(2)
    except OSError:
        # There is no standard error to keep clean.
        yield
        return
    python_stderr, python_writes_there = sys.stderr, _descriptor(sys.stderr) == 2
    with open(os.devnull, "wb") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    if python_writes_there:
        sys.stderr = open(screen, "w", buffering=1, closefd=False)  # noqa: SIM115
    try:
        yield
    finally:
        if python_writes_there:
            sys.stderr.close()
            sys.stderr = python_stderr
        os.dup2(screen, 2)
        os.close(screen)


def import_keras_quietly():
    """Imports Keras with its backend: TensorFlow without its greeting, or not at all."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with silenced_native_logs():
        import keras
    if keras.backend.backend() == "tensorflow":
        import_tensorflow_quietly()
    elif "tensorflow" not in sys.modules:
        # Of what it serializes first, a Bidirectional layer for example, Keras asks whether it is
        # TensorFlow's, which takes an import of seconds. It remembers that there was none.
        sys.modules["tensorflow"] = None
        try:
            keras.saving.serialize_keras_object(keras.initializers.Zeros())
        finally:
            del sys.modules["tensorflow"]


def import_tensorflow_quietly():
    """Imports TensorFlow without its greeting, and keeps its Python loggers to errors."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with silenced_native_logs():
        import tensorflow as tf

        # The first operation starts the runtime, which has something to say too. A process of
        # several (see `training.distribution`) has to be connected to the others before.
        if "TF_CONFIG" not in os.environ:
            tf.constant(0) + 1
    for name in ("tensorflow", "absl"):
        logging.getLogger(name).setLevel(logging.ERROR)


def _descriptor(stream):
    try:
        return stream.fileno()
    except (AttributeError, OSError, ValueError):
        return None
