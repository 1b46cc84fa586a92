"""Peaks of memory, each measured in a process of its own."""

import subprocess
import sys

import pytest
from checkout import SUPPORT

SCRIPT = SUPPORT / "memory_growth.py"


@pytest.mark.parametrize(
    "what, sizes",
    [
        # batch_size, query_length, value_length, units
        pytest.param("scores", (32, 128, 128, 512), marks=pytest.mark.slow),
        ("decoder", (16, 256, 64, 512)),
    ],
)
def test_no_tensor_of_pairs_and_units_is_ever_held(what, sizes):
    process = subprocess.run(
        [sys.executable, SCRIPT, what, *map(str, sizes)], capture_output=True, text=True
    )
    assert process.returncode == 0, process.stderr[-3000:]
    growth = int(process.stdout.split()[-1])
    batch_size, query_length, value_length, units = sizes
    # The naive form holds at least one such tensor of four bytes each for its gradients.
    assert growth < batch_size * query_length * value_length * units * 4 / 4
