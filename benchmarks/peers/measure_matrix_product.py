"""The limit: how fast one core multiplies the matrices of the output layer.

Prints one JSON object: billions of operations a CPU-second of TensorFlow's product of matrices of
(1024, 512) and (512, 8000), in float32 and in bfloat16, each the best of ten.
"""

import json
import time

import tensorflow as tf

ROWS, INNER, COLUMNS = 1024, 512, 8000
REPETITIONS = 10


def billions_per_second(dtype):
    left = tf.cast(tf.random.normal((ROWS, INNER)), dtype)
    right = tf.cast(tf.random.normal((INNER, COLUMNS)), dtype)
    product = tf.function(lambda: tf.matmul(left, right))
    product()
    seconds = []
    for _ in range(REPETITIONS):
        started = time.process_time()
        product()
        seconds.append(time.process_time() - started)
    return 2 * ROWS * INNER * COLUMNS / min(seconds) / 1e9


if __name__ == "__main__":
    rates = {dtype: billions_per_second(dtype) for dtype in ("float32", "bfloat16")}
    print(json.dumps(rates))
