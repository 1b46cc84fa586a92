"""Imports of Keras and TensorFlow, and calls of native code, without their log lines."""

import contextlib
import logging
import os
import sys
from collections.abc import Iterator


@contextlib.contextmanager
def silenced_native_logs() -> Iterator[None]:
    """Drops what native code writes to standard error inside the block.

    TensorFlow's runtime and converter ignore `TF_CPP_MIN_LOG_LEVEL` there. Python's `sys.stderr`
    still works, and exceptions are raised as usual.
    """
    if sys.stderr is not None:
        sys.stderr.flush()
    try:
        screen = os.dup(2)
    except OSError:
        # Standard error is closed.
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
    """Imports Keras with its backend, without log lines; TensorFlow only if it is the backend."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with silenced_native_logs():
        import keras
    if keras.backend.backend() == "tensorflow":
        import_tensorflow_quietly()
    elif "tensorflow" not in sys.modules:
        # At its first serialization Keras checks for TensorFlow's classes, which would import
        # TensorFlow, in seconds. It caches that there is none.
        sys.modules["tensorflow"] = None
        try:
            keras.saving.serialize_keras_object(keras.initializers.Zeros())
        finally:
            del sys.modules["tensorflow"]


def import_tensorflow_quietly():
    """Imports TensorFlow without log lines, and sets its Python loggers to errors only."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with silenced_native_logs():
        import tensorflow as tf

        # The first operation starts the runtime, which logs too. In a distributed run it must
        # come after the connection to the other processes (see `training.distribution`).
        if "TF_CONFIG" not in os.environ:
            tf.constant(0) + 1
    for name in ("tensorflow", "absl"):
        logging.getLogger(name).setLevel(logging.ERROR)


def _descriptor(stream):
    try:
        return stream.fileno()
    except (AttributeError, OSError, ValueError):
        return None
