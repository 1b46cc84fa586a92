"""Output of `translate`: standard output, or a file whose writing can be resumed."""

import contextlib
import json
import os
from pathlib import Path

from keras_bahdanau.command_line.lines import print_line
from keras_bahdanau.errors import InputError
from keras_bahdanau.files import atomic_path, naming_full_disk


class StandardOutput(contextlib.AbstractContextManager):
    """Lines on standard output.

    Attributes:
        done: number of lines that an earlier run has written: 0.
    """

    done = 0

    def write(self, lines: list[str]):
        """Writes lines and flushes them."""
        for line in lines:
            print_line(line)

    def __exit__(self, *error):
        pass


class ResultFile(contextlib.AbstractContextManager):
    """A file of lines that appears when it is complete.

    Until then its lines are in `PATH.part`, and the call that writes them in `PATH.part.json`. A
    run that was killed leaves both, and the next resumes after the last whole line.

    Args:
        path: the file. An older one is replaced at the end.
        origin: dict of strings and numbers that describes the call.
        resume: whether to resume an earlier run.

    Attributes:
        done: number of lines that an earlier run has written.
        is_finished: whether an earlier run wrote all of them.

    Raises:
        InputError: an interrupted run left its files and `resume` is false, or had other arguments.
    """

    def __init__(self, path: str | os.PathLike, origin: dict, resume: bool):
        self.path = Path(path)
        self._part = self.path.with_name(f"{self.path.name}.part")
        self._note = self.path.with_name(f"{self.path.name}.part.json")
        if self.path.is_dir():
            raise InputError(f"Expected a file to write to. Received: {path}, a directory")
        has_part = self._part.is_file() and self._note.is_file()
        if has_part and not resume:
            raise InputError(
                f"Expected --resume, or another output. Received: {path}, for which an interrupted "
                f"run left {self._part.name} (remove it to start over)"
            )
        if has_part:
            self._check_origin(origin)
        self.is_finished = resume and not has_part and self.path.is_file()
        self.done = self._keep_whole_lines() if has_part else 0
        self._origin, self._file = origin, None

    def __enter__(self):
        if not self.done:
            with atomic_path(self._note) as temporary:
                temporary.write_text(json.dumps(self._origin, indent=2) + "\n", encoding="utf-8")
        self._file = open(self._part, "ab" if self.done else "wb")
        return self

    def write(self, lines: list[str]):
        """Writes lines and flushes them."""
        text = "".join(f"{line}\n" for line in lines)
        with naming_full_disk(self._part):
            self._file.write(text.encode("utf-8", errors="replace"))
            self._file.flush()

    def __exit__(self, kind, *error):
        with self._file:
            if kind is None:
                os.fsync(self._file.fileno())
        if kind is None:
            os.replace(self._part, self.path)
            self._note.unlink()

    def _check_origin(self, origin):
        try:
            before = json.loads(self._note.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            before = None
        if not isinstance(before, dict):
            raise InputError(f"Expected the record of an interrupted run. Received: {self._note}")
        changed = [
            f"{name} {before.get(name)} instead of {origin.get(name)}"
            for name in sorted({*origin, *before})
            if before.get(name) != origin.get(name)
        ]
        if changed:
            raise InputError(
                f"Expected the arguments of the call that wrote {self._part}. Received: other "
                f"ones; it had {', '.join(changed)}"
            )

    def _keep_whole_lines(self):
        """Truncates an incomplete last line, and counts the others."""
        count, end = 0, 0
        with open(self._part, "rb+") as file:
            for line in file:
                if line.endswith(b"\n"):
                    count, end = count + 1, end + len(line)
            file.truncate(end)
        return count
