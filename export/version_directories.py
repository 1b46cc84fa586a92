"""Numbered version directories, as TensorFlow Serving loads them."""

import os
from pathlib import Path

from keras_bahdanau.errors import InputError


def next_version(directory: str | os.PathLike) -> str:
    """The number after the highest version in a directory: "1" in a new or empty one.

    Hidden directories, which interrupted exports leave and servers ignore, are ignored.

    Raises:
        InputError: the directory is a file, or holds other files than versions.
    """
    directory = Path(directory)
    if directory.exists() and not directory.is_dir():
        raise InputError(f"Expected a directory of versions. Received: {directory}, a file")
    paths = sorted(directory.iterdir()) if directory.exists() else []
    foreign = [
        path.name for path in paths if not path.name.startswith(".") and not _is_version(path)
    ]
    if foreign:
        raise InputError(
            "Expected a new directory, or one that holds versions of a SavedModel (1, 2, ...) "
            f"alone. Received: {directory}, which has {', '.join(foreign[:3])}"
        )
    return str(max((int(path.name) for path in paths if _is_version(path)), default=0) + 1)


def newest_version(directory: str | os.PathLike) -> Path:
    """The version directory with the highest number, or the directory itself if it is one."""
    directory = Path(directory)
    if (directory / "saved_model.pb").exists():
        return directory
    versions = [path.parent for path in directory.glob("*/saved_model.pb")]
    return max(filter(_is_version, versions), key=lambda path: int(path.name), default=directory)


def _is_version(path):
    return path.name.isascii() and path.name.isdecimal() and path.is_dir()
