"""Files that are either the old ones or the new ones, never half of one."""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def atomic_path(path: str | os.PathLike) -> Iterator[Path]:
    """Yields a temporary sibling of `path`, and renames it to `path` when the block succeeds.

    The block may write a file or make a directory at the yielded path. When it raises, what it
    wrote is removed and `path` keeps what it had. A directory replaces only an absent or empty
    directory.

    Args:
        path: where the finished file or directory shall be. Missing parents are made.
    """
    path = Path(path)
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
