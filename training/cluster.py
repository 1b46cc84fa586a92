"""The processes of a run on several machines, from `TF_CONFIG`. Does not import TensorFlow."""

import json
import os

from keras_bahdanau.errors import InputError

CLUSTER_VARIABLE = "TF_CONFIG"
CLUSTER_EXAMPLE = (
    '{"cluster": {"worker": ["host-0:2222", "host-1:2222"]}, '
    '"task": {"type": "worker", "index": 0}}'
)


def is_chief() -> bool:
    """Returns whether this is the process of the run that writes and validates: the first one."""
    return place_in_cluster()[0] == 0


def place_in_cluster() -> tuple[int, int]:
    """Returns the index of this process and the number of processes; `(0, 1)` without `TF_CONFIG`.

    Raises:
        InputError: `TF_CONFIG` does not describe workers, with this process among them.
    """
    text = os.environ.get(CLUSTER_VARIABLE)
    if not text:
        return 0, 1
    try:
        description = json.loads(text)
        (kind, workers), *others = description["cluster"].items()
        process, is_worker = int(description["task"]["index"]), description["task"]["type"] == kind
    except (ValueError, KeyError, TypeError, AttributeError):
        is_worker = False
    if not is_worker or kind != "worker" or others or not 0 <= process < len(workers):
        raise InputError(f"Expected {CLUSTER_VARIABLE} such as {CLUSTER_EXAMPLE}. Received: {text}")
    return process, len(workers)
