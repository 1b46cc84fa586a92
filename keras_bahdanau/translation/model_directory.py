"""The files of a trained model directory, and the checks of its `config.json`."""

import math
import os
from pathlib import Path

from keras_bahdanau.errors import InputError
from keras_bahdanau.files import read_json, write_json
from keras_bahdanau.version import __version__

MODEL_FILE, TOKENIZER_FILE, CONFIG_FILE = "model.keras", "tokenizer.model", "config.json"
# Increased when older packages can no longer read the directory.
FORMAT_VERSION = 1


def write_config(directory: str | os.PathLike, config: dict):
    """Writes `config.json`: `config` with the versions of format and package."""
    versions = {"format_version": FORMAT_VERSION, "package_version": __version__}
    write_json(Path(directory) / CONFIG_FILE, {**versions, **config})


def read_config(directory: str | os.PathLike) -> dict:
    """Reads `config.json` of a complete model directory.

    Raises:
        InputError: there is no model directory, or it is unfinished, damaged, or written by a
            newer package.
    """
    directory = Path(directory)
    if not directory.is_dir():
        raise InputError(f"Expected a model directory. Received: no model directory at {directory}")
    missing = [
        name
        for name in (CONFIG_FILE, MODEL_FILE, TOKENIZER_FILE)
        if not (directory / name).is_file()
    ]
    if missing:
        started = (directory / "checkpoints").is_dir() or len(missing) < 3
        state = "an unfinished model directory" if started else "no model directory"
        raise InputError(
            f"Expected a model directory. Received: {state} at {directory}: it has no "
            f"{', '.join(missing)}"
        )
    path = directory / CONFIG_FILE
    config = read_json(path)
    version = _positive_integer(config, "format_version", path)
    if version > FORMAT_VERSION:
        raise InputError(
            f"Expected a model of format {FORMAT_VERSION} (keras-bahdanau {__version__}). Received:"
            f" {directory} of format {version} (keras-bahdanau {config.get('package_version')})"
        )
    for name in ("max_length", "max_target_length"):
        _positive_integer(config, name, path)
    penalty = config.get("length_penalty", 1.0)
    if type(penalty) not in (int, float) or not 0 <= penalty < math.inf:
        raise InputError(
            f"Expected length_penalty to be a number of at least 0. Received: {penalty!r} in {path}"
        )
    return config


def _positive_integer(config, name, path):
    value = config.get(name)
    if type(value) is not int or value < 1:
        raise InputError(f"Expected {name} to be a positive integer. Received: {value!r} in {path}")
    return value
