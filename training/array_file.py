"""Files of named arrays (`.npz`) with a checksum, written atomically."""

import hashlib
import os
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from keras_bahdanau.errors import InputError
from keras_bahdanau.files import atomic_path

# SHA-256 in hexadecimal, in the archive comment, which is the end of a zip file.
_CHECKSUM_LENGTH = 64


class DamagedFile(InputError):
    """A file is truncated, changed, unreadable or missing."""


def write_arrays(path: str | os.PathLike, arrays: Iterable[tuple[str, np.ndarray]], size: int):
    """Writes an `.npz` file atomically, one array in memory at a time.

    It ends with the SHA-256 of all bytes before. Equal arrays give equal files.

    Args:
        path: the file.
        arrays: names and arrays.
        size: bytes of all arrays, for the error message of a full disk.
    """
    with atomic_path(path, size=size) as temporary:
        with zipfile.ZipFile(temporary, "w") as archive:
            archive.comment = b"0" * _CHECKSUM_LENGTH
            for name, array in arrays:
                # A `ZipInfo` has a fixed date unless it is given one.
                entry = zipfile.ZipInfo(f"{name}.npy")
                with archive.open(entry, "w", force_zip64=True) as file:
                    np.lib.format.write_array(file, array, allow_pickle=False)
        with open(temporary, "r+b") as file:
            checksum = _checksum(file)
            file.seek(-_CHECKSUM_LENGTH, os.SEEK_END)
            file.write(checksum)


def check_arrays(path: str | os.PathLike):
    """Verifies the checksum of a file.

    Raises:
        DamagedFile: the checksum is wrong, or the file cannot be read.
    """
    try:
        with open(path, "rb") as file:
            is_whole = _checksum(file) == file.read()
            length = file.tell()
    except OSError as error:
        raise DamagedFile(_message(path, f"which cannot be read: {error.strerror}")) from error
    if not is_whole:
        raise DamagedFile(_message(path, f"whose checksum is wrong ({length:,} bytes)"))


def read_arrays(path: str | os.PathLike) -> Iterator[tuple[str, np.ndarray]]:
    """Yields names and arrays in the order of writing, one at a time.

    The file should have passed `check_arrays`. Nothing in it is run as code.
    """
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            with archive.open(name) as file:
                array = np.lib.format.read_array(file, allow_pickle=False)
            yield Path(name).stem, array


def _checksum(file):
    """The SHA-256 of all bytes before the checksum, which is then the file position."""
    remaining = max(file.seek(0, os.SEEK_END) - _CHECKSUM_LENGTH, 0)
    file.seek(0)
    digest = hashlib.sha256()
    while chunk := file.read(min(remaining, 1 << 20)):
        digest.update(chunk)
        remaining -= len(chunk)
    return digest.hexdigest().encode()


def _message(path, reason):
    return f"Expected the whole file that was written. Received: {path}, {reason}"
