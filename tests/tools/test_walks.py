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
def test_no_walk_enters_more_files_than_its_limit():
    command = [sys.executable, TOOLS / "walks.py"]
    completed = subprocess.run(command, capture_output=True, text=True)
    rows = [line.strip("| ").split(" | ") for line in completed.stdout.splitlines()[2:]]
    assert [row[0] for row in rows] == [walk.name for walk in walks.WALKS], completed.stderr
    counts = [(int(files), int(limit)) for _, _, files, limit in rows]
    assert all(0 < files <= limit for files, limit in counts), counts
    assert completed.returncode == 0
