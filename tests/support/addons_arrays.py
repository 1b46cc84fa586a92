"""What TensorFlow Addons 0.23 computed: the arrays in `tests/support/tensorflow_addons`."""

from pathlib import Path

import numpy as np
from attention_oracle import arrays_of

FOLDER = Path(__file__).parent / "tensorflow_addons"


def cases(stem):
    """dict from the names of cases to dicts of their arrays."""
    found = {}
    with np.load(FOLDER / f"{stem}.npz", allow_pickle=False) as arrays:
        for name in arrays.files:
            case, what = name.split("/", 1)
            found.setdefault(case, {})[what] = arrays[name]
    return found


def under(arrays, prefix):
    """The arrays whose names begin so, under the rest of their names."""
    return {
        name.removeprefix(prefix): array
        for name, array in arrays.items()
        if name.startswith(prefix)
    }


def mask_of(lengths, memory):
    """The bool mask of a memory of which the first positions are kept."""
    return np.arange(memory.shape[1]) < lengths[:, None]


def assert_close(received, expected):
    np.testing.assert_allclose(arrays_of(received), expected, atol=1e-5, rtol=1e-5)
