"""Prints how fast this core reads memory: GB/s of the dot product of a vector with itself.

The vector has as many bytes as a model's weights, because smaller ones stay in the caches.
"""

import argparse
import json
import time

import numpy as np

SECONDS = 1.0


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("bytes", type=int)
    size = parser.parse_args().bytes // 4
    vector, reads = np.ones(size, np.float32), 0
    np.dot(vector, vector)
    started = time.process_time()
    while (passed := time.process_time() - started) < SECONDS:
        np.dot(vector, vector)
        reads += 1
    print(json.dumps({"gigabytes_per_second": 4e-9 * size * reads / passed}))


if __name__ == "__main__":
    main()
