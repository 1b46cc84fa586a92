import subprocess
import sys

import pytest
import walks
from checkout import TOOLS


def test_files_entered_are_those_whose_functions_run():
    from keras_bahdanau.training.corpora.built_in import words

    assert walks.files_entered(lambda: words("Go.")) == [
        "keras_bahdanau/training/corpora/built_in.py"
    ]
    assert walks.files_entered(lambda: len("Go.")) == []


@pytest.mark.slow
def test_every_walk_is_counted_and_compared_with_its_limit():
    command = [sys.executable, TOOLS / "walks.py"]
    completed = subprocess.run(command, capture_output=True, text=True)
    rows = [line.strip("| ").split(" | ") for line in completed.stdout.splitlines()[2:]]
    assert [row[0] for row in rows] == [walk.name for walk in walks.WALKS], completed.stderr
    counts = [(int(files), int(limit)) for _, _, files, limit in rows]
    assert all(files > 0 for files, _ in counts)
    assert completed.returncode == any(files > limit for files, limit in counts)
