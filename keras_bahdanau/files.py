"""Atomic file writes; JSON files; checks of directories to write to."""

import contextlib
import errno
import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path

from keras_bahdanau.errors import InputError

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@contextlib.contextmanager
def atomic_path(path: str | os.PathLike, size: int | None = None) -> Iterator[Path]:
    """Yields a temporary path next to `path`, and renames it to `path` when the block succeeds.

    The block writes a file or makes a directory at the yielded path. When it raises, that is
    removed and `path` stays as it was. A directory replaces only an absent or empty directory.

    Args:
        path: the finished file or directory. Missing parents are made.
        size: its size in bytes, if known, for the error message of a full disk.
    """
    path = Path(path)
    with naming_full_disk(path, size):
        path.parent.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
        # With the same suffix: writers such as Keras choose the format by it.
        temporary = folder / path.name
        try:
            yield temporary
            if temporary.is_file():
                with open(temporary, "rb") as file:
                    os.fsync(file.fileno())
            os.replace(temporary, path)
        finally:
            shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def naming_full_disk(path: str | os.PathLike, size: int | None = None) -> Iterator[None]:
    """Adds the path and the free space to the OSError of a full disk.

    Args:
        path: the file that the block writes.
        size: its size in bytes, if known.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in _NO_ROOM:
            raise
        needed = "" if size is None else f"{size:,} bytes needed, "
        free = shutil.disk_usage(Path(path).parent).free
        reason = f"{os.strerror(error.errno)} ({needed}{free:,} free)"
        raise OSError(error.errno, reason, str(path)) from error


def remove_leftovers(directory: str | os.PathLike):
    """Removes the temporary files that killed processes left in a directory (`atomic_path`)."""
    for path in Path(directory).glob(".*"):
        if re.fullmatch(r"\..+\.[a-z0-9_]{8}", path.name) and path.is_dir():
            shutil.rmtree(path, ignore_errors=True)


def read_json(path: str | os.PathLike) -> dict:
    """Reads a file of one JSON object.

    Raises:
        InputError: it is not JSON, or not a JSON object.
    """
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
    except ValueError as error:
        raise InputError(f"Expected JSON. Received: {path}, which is damaged: {error}") from error
    if not isinstance(content, dict):
        raise InputError(f"Expected a JSON object. Received: {path}, {type(content).__name__}")
    return content


def write_json(path: str | os.PathLike, content: dict, indent: int = 2):
    """Writes one JSON object, atomically."""
    with atomic_path(path) as temporary:
        text = json.dumps(content, indent=indent, ensure_ascii=False)
        temporary.write_text(text + "\n", encoding="utf-8")


def check_is_free(
    directory: str | os.PathLike,
    ignored: tuple[str, ...] = (),
    expected: str = "a new or empty directory",
):
    """Raises InputError unless a directory to write to is absent or empty.

    Args:
        directory: its path.
        ignored: shell patterns of names that it may hold.
        expected: what the error message asks for.
    """
    directory = Path(directory)
    if directory.exists() and not directory.is_dir():
        raise InputError(f"Expected {expected}. Received: {directory}, a file")
    names = sorted(path.name for path in directory.iterdir()) if directory.exists() else []
    names = [name for name in names if not any(fnmatchcase(name, each) for each in ignored)]
    if names:
        raise InputError(
            f"Expected {expected}. Received: {directory}, which is not empty: it has "
            f"{', '.join(names[:3])}"
        )
