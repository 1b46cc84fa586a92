"""Runs a SavedModel through TensorFlow's C++ loader from many threads at once.

    python tests/support/serving_load.py DIR THREADS SECONDS < requests.json > report.json

The requests are those of `cpp_loader.py`. Each is answered once alone; then the threads send them
in turn, each from another start, until the time is over, and compare. The report: `requests`, how
many were sent; `wrong`, the first answers that differed; `rss`, the memory of the process in bytes
at eleven equally spaced times, the first at the start.
"""

import json
import math
import sys
import threading
import time
from pathlib import Path

from c_api import Library, SavedModel
from cpp_loader import answer

TIMES = 10
# Sums may be taken in another order where other work takes the processors.
TOLERANCE = 1e-4


def rss() -> int:
    """Memory of this process in bytes."""
    status = Path("/proc/self/status").read_text()
    (line,) = (line for line in status.splitlines() if line.startswith("VmRSS:"))
    return int(line.split()[1]) * 1024


def is_same(received: object, expected: object) -> bool:
    """Whether two answers are equal, numbers up to the tolerance."""
    if isinstance(expected, dict):
        return received.keys() == expected.keys() and all(
            is_same(received[name], expected[name]) for name in expected
        )
    if isinstance(expected, list):
        return len(received) == len(expected) and all(map(is_same, received, expected))
    if isinstance(expected, float):
        return math.isclose(received, expected, rel_tol=TOLERANCE, abs_tol=TOLERANCE)
    return received == expected


class Load:
    """Threads that send requests until they are told to stop."""

    def __init__(self, model: SavedModel, requests: list[dict]):
        self.model, self.requests = model, requests
        self.expected = [answer(model, request) for request in requests]
        self.is_over, self.lock = threading.Event(), threading.Lock()
        self.sent, self.wrong = 0, []

    def send(self, start: int) -> None:
        """The work of one thread."""
        number = start
        while not self.is_over.is_set():
            index = number % len(self.requests)
            received = answer(self.model, self.requests[index])
            with self.lock:
                self.sent += 1
                if not is_same(received, self.expected[index]):
                    self.wrong.append([self.requests[index], received])
            number += 1


def main() -> None:
    """Reads the requests, and writes the report."""
    directory, threads, seconds = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
    load = Load(SavedModel(Library(), Path(directory)), json.load(sys.stdin))
    workers = [threading.Thread(target=load.send, args=(start,)) for start in range(threads)]
    for worker in workers:
        worker.start()
    memory = [rss()]
    for _ in range(TIMES):
        time.sleep(seconds / TIMES)
        memory.append(rss())
    load.is_over.set()
    for worker in workers:
        worker.join()
    if "tensorflow" in sys.modules:
        sys.exit("Expected a process without TensorFlow's Python, but `tensorflow` was imported")
    json.dump({"requests": load.sent, "wrong": load.wrong[:3], "rss": memory}, sys.stdout)


if __name__ == "__main__":
    main()
