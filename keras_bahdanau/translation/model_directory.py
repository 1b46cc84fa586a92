"""The files of a trained model directory, and what is wrong when they are not as they should be."""

import json
import math
import os
from pathlib import Path

from keras_bahdanau.errors import InputError
from keras_bahdanau.files import atomic_path
from keras_bahdanau.version import __version__

MODEL_FILE, TOKENIZER_FILE, CONFIG_FILE = "model.keras", "tokenizer.model", "config.json"
# Raised when a directory of an older package can no longer be read as it is.
FORMAT_VERSION = 1


def write_config(directory: str | os.PathLike, config: dict):
    """Writes `config.json`, with the versions of format and package."""
    versions = {"format_version": FORMAT_VERSION, "package_version": __version__}
    write_json(Path(directory) / CONFIG_FILE, {**versions, **config})


def read_config(directory: str | os.PathLike) -> dict:
    """Reads `config.json` of a complete model directory.

    Raises:
        InputError: the directory does not exist, is no model directory, is half written, or was
            written by a newer package.
    """
    directory = Path(directory)
    if not directory.is_dir():
        raise InputError(f"Expected a model directory. Received: {directory}, which is none")
    missing = [
        name
        for name in (CONFIG_FILE, MODEL_FILE, TOKENIZER_FILE)
        if not (directory / name).is_file()
    ]
    if missing:
        started = (directory / "checkpoints").is_dir() or len(missing) < 3
        state = "an unfinished model directory" if started else "no model directory"
        raise InputError(
            f"Expected a model directory. Received: {directory}, {state}: it has no "
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


def read_json(path: str | os.PathLike) -> dict:
    """Reads a file of one JSON object.

    Raises:
        InputError: it holds something else.
    """
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
    except ValueError as error:
        raise InputError(f"Expected JSON. Received: {path}, which is damaged: {error}") from error
    if not isinstance(content, dict):
        raise InputError(f"Expected a JSON object. Received: {path}, {type(content).__name__}")
    return content


def write_json(path: str | os.PathLike, content: dict):
    """Writes one JSON object, atomically."""
    with atomic_path(path) as temporary:
        text = json.dumps(content, indent=2, ensure_ascii=False)
        temporary.write_text(text + "\n", encoding="utf-8")


def _positive_integer(config, name, path):
    value = config.get(name)
    if type(value) is not int or value < 1:
        raise InputError(f"Expected {name} to be a positive integer. Received: {value!r} in {path}")
    return value
