"""Files that are either the old ones or the new ones, never half of one."""

import contextlib
import errno
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from keras_bahdanau.errors import InputError

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@contextlib.contextmanager
def atomic_path(path: str | os.PathLike, size: int | None = None) -> Iterator[Path]:
    """Yields a temporary sibling of `path`, and renames it to `path` when the block succeeds.

    The block may write a file or make a directory at the yielded path. When it raises, what it
    wrote is removed and `path` keeps what it had. A directory replaces only an absent or empty
    directory.

    Args:
        path: where the finished file or directory shall be. Missing parents are made.
        size: how many bytes it will have, where that is known, for the message of a full disk.
    """
    path = Path(path)
    with naming_full_disk(path, size):
        path.parent.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
        # The suffix stays, because writers such as Keras choose the format by it.
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
    """Makes the error of a full disk in the block say what could not be written.

    Args:
        path: what is written.
        size: how many bytes it will have, where that is known.
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
    """Removes what `atomic_path` left in a directory when its process was killed."""
    for path in Path(directory).glob(".*"):
        if re.fullmatch(r"\..+\.[a-z0-9_]{8}", path.name) and path.is_dir():
            shutil.rmtree(path, ignore_errors=True)


def check_is_free(directory: str | os.PathLike):
    """Raises InputError unless a directory to write to is absent or empty."""
    directory = Path(directory)
    if directory.exists() and not directory.is_dir():
        raise InputError(f"Expected a new or empty directory. Received: {directory}, a file")
    names = sorted(path.name for path in directory.iterdir()) if directory.exists() else []
    if names:
        raise InputError(
            f"Expected a new or empty directory. Received: {directory}, which is not empty: it has "
            f"{', '.join(names[:3])}"
        )
