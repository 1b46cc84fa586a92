import errno
import json
import os
import subprocess
import sys

import pytest

from keras_bahdanau.errors import InputError
from keras_bahdanau.files import (
    atomic_path,
    check_is_free,
    naming_full_disk,
    remove_leftovers,
    write_json,
)


def names(directory):
    return sorted(path.name for path in directory.iterdir())


def test_a_file_appears_when_the_block_is_done(tmp_path):
    with atomic_path(tmp_path / "a.txt") as temporary:
        temporary.write_text("new")
        assert not (tmp_path / "a.txt").exists()
        assert temporary.name == "a.txt"
    assert (tmp_path / "a.txt").read_text() == "new"
    assert names(tmp_path) == ["a.txt"]


def test_until_then_the_old_file_stays(tmp_path):
    (tmp_path / "a.txt").write_text("old")
    with atomic_path(tmp_path / "a.txt") as temporary:
        temporary.write_text("new")
        assert (tmp_path / "a.txt").read_text() == "old"
    assert (tmp_path / "a.txt").read_text() == "new"


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_an_exception_leaves_the_old_file_and_no_other(tmp_path, error):
    (tmp_path / "a.txt").write_text("old")
    with pytest.raises(error), atomic_path(tmp_path / "a.txt") as temporary:
        temporary.write_text("half")
        raise error
    assert (tmp_path / "a.txt").read_text() == "old"
    assert names(tmp_path) == ["a.txt"]


def test_a_block_that_writes_nothing_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError), atomic_path(tmp_path / "a.txt"):
        pass
    assert names(tmp_path) == []


@pytest.mark.parametrize("exists", [False, True])
def test_a_directory(tmp_path, exists):
    target = tmp_path / "parent" / "directory"
    if exists:
        target.mkdir(parents=True)
    with atomic_path(target) as temporary:
        temporary.mkdir()
        (temporary / "a.txt").write_text("one")
    assert (target / "a.txt").read_text() == "one"
    assert names(target.parent) == ["directory"]


def test_a_directory_that_holds_something_is_kept(tmp_path):
    target = tmp_path / "directory"
    target.mkdir()
    (target / "mine.txt").write_text("mine")
    with pytest.raises(OSError), atomic_path(target) as temporary:
        temporary.mkdir()
    assert (target / "mine.txt").read_text() == "mine"
    assert names(tmp_path) == ["directory"]


def test_an_exception_leaves_no_half_directory(tmp_path):
    with pytest.raises(RuntimeError), atomic_path(tmp_path / "directory") as temporary:
        temporary.mkdir()
        (temporary / "a.txt").write_text("half")
        raise RuntimeError
    assert names(tmp_path) == []


def test_a_file_in_the_working_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with atomic_path("a.txt") as temporary:
        temporary.write_text("here")
    assert names(tmp_path) == ["a.txt"]


def test_others_may_read_the_file(tmp_path):
    (tmp_path / "usual.txt").write_text("")
    with atomic_path(tmp_path / "a.txt") as temporary:
        temporary.write_text("")
    usual = (tmp_path / "usual.txt").stat().st_mode
    assert (tmp_path / "a.txt").stat().st_mode == usual


# A limit of the process's files in place of a full disk, which only an administrator can make.
WRITE_TOO_MUCH = """
import resource, sys
from pathlib import Path
from keras_bahdanau.files import atomic_path
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    with atomic_path(sys.argv[1], size=5000) as temporary:
        temporary.write_bytes(bytes(5000))
except OSError as error:
    print(error)
"""


def test_a_file_that_does_not_fit_leaves_the_old_one_and_says_so(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    process = subprocess.run(
        [sys.executable, "-c", WRITE_TOO_MUCH, path], capture_output=True, text=True, check=True
    )
    (line,) = process.stdout.splitlines()
    assert line.startswith(f"[Errno {errno.EFBIG}] {os.strerror(errno.EFBIG)} (5,000 bytes needed,")
    assert line.endswith(f" free): '{path}'")
    assert path.read_text() == "old"
    assert names(tmp_path) == ["a.txt"]


def test_a_full_disk_is_named_and_other_errors_stay(tmp_path):
    full, other = OSError(errno.ENOSPC, "No space left on device"), OSError(errno.EIO, "I/O error")
    with (
        pytest.raises(
            OSError, match=r"No space left on device \([\d,]+ free\): '.*logs'"
        ) as raised,
        naming_full_disk(tmp_path / "logs"),
    ):
        raise full
    assert raised.value.errno == errno.ENOSPC
    with pytest.raises(OSError) as raised, naming_full_disk(tmp_path / "logs"):
        raise other
    assert raised.value is other


def test_leftovers_of_killed_processes_are_removed_and_nothing_else(tmp_path):
    mine = [".config", ".a.txt", ".git", "a.txt.x1y2z3_4"]
    for name in (*mine, ".a.txt.x1y2z3_4", ".state-00000003.npz.abcdefgh"):
        (tmp_path / name).mkdir()
    (tmp_path / ".b.txt.x1y2z3_4").touch()
    remove_leftovers(tmp_path)
    assert names(tmp_path) == sorted([*mine, ".b.txt.x1y2z3_4"])


def test_what_is_free(tmp_path):
    check_is_free(tmp_path / "absent")
    check_is_free(tmp_path)
    (tmp_path / "mine").touch()
    with pytest.raises(InputError, match="is not empty: it has mine$"):
        check_is_free(tmp_path)
    with pytest.raises(InputError, match="mine, a file$"):
        check_is_free(tmp_path / "mine")
    (tmp_path / ".theirs.x1").mkdir()
    check_is_free(tmp_path, ("mine", ".theirs.*"))
    with pytest.raises(InputError, match="Expected a free one. .*not empty: it has .theirs.x1$"):
        check_is_free(tmp_path, ("mine",), "a free one")


def test_json_is_replaced_as_a_whole(tmp_path):
    path = tmp_path / "metrics.json"
    write_json(path, {"bleu": 1.0})
    with pytest.raises(TypeError):
        write_json(path, {"bleu": object()})
    assert json.loads(path.read_text()) == {"bleu": 1.0}
    assert [each.name for each in tmp_path.iterdir()] == ["metrics.json"]
