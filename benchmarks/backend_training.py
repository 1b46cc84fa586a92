"""Training speed of one model on TensorFlow, JAX and PyTorch, each in a process of its own.

The model is that of `training_speed.py`, in float32 by default. Sentences are random ids with
lengths around 15, in batches of one shape, so that every backend does the same work and JAX
compiles one program. Each process prints its device and measures the throughput of a matrix product
on it, with the same backend and precision; the share of it that training reaches counts operations
without padding. Throughput is per second of wall time on a GPU and per CPU-second on a CPU. `start`
is the time to the end of the first step.
"""

import argparse
import json
import os
import subprocess
import sys
import time

BACKENDS = ("tensorflow", "jax", "torch")
CPU = "CPU"
VOCABULARY_SIZE, WIDTH, WARM_UP_STEPS = 8000, 24, 3
PRODUCT_REPETITIONS = 5


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--backends", nargs="+", choices=BACKENDS, default=BACKENDS)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--steps", type=int, default=20, help="that are measured")
    parser.add_argument("--precision", choices=("float32", "bfloat16"), default="float32")
    parser.add_argument("--product-rows", type=int, default=1024, help="more on a GPU: 16384")
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.here:
        print(json.dumps(measure(options)))
        return 0
    print("| backend | device | tokens/s | per CPU-second | GFLOP/s | product | of limit | start |")
    print("|---|---|---:|---:|---:|---:|---:|---:|")
    for backend in options.backends:
        process = subprocess.run(
            [sys.executable, __file__, *(arguments or sys.argv[1:]), "--here"],
            env={**os.environ, "KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3"},
            capture_output=True,
            text=True,
        )
        if process.returncode:
            print(f"{backend} failed:\n{process.stderr}", file=sys.stderr)
            return 1
        found = json.loads(process.stdout.splitlines()[-1])
        # Other load on the machine changes wall time on a CPU.
        seconds = found["cpu_seconds" if found["device"] == CPU else "seconds"]
        rate = found["operations"] / seconds / 1e9
        print(
            f"| {backend} | {found['device']} | {found['tokens'] / found['seconds']:.0f} "
            f"| {found['tokens'] / found['cpu_seconds']:.0f} | {rate:.1f} "
            f"| {found['product']:.1f} | {rate / found['product']:.0%} "
            f"| {found['start_seconds']:.0f} s |",
            flush=True,
        )
    return 0


def measure(options):
    """Measures training steps in this process; returns a dict of numbers and the device's name."""
    import keras
    from peers.peer_programs import additive_products

    from keras_bahdanau.models import TranslationModel
    from keras_bahdanau.training.compilation import compile_for_training
    from keras_bahdanau.training.options import TrainingOptions

    training_options = TrainingOptions(
        tie_embeddings="none", readout_units=512, dropout=0.0, precision=options.precision
    )
    model = compile_for_training(
        TranslationModel(VOCABULARY_SIZE, **training_options.model_arguments()),
        training_options,
        steps_per_epoch=1000,
    )
    batches, lengths = random_batches(keras, WARM_UP_STEPS + options.steps, options.batch_size)
    times = []

    def note_time(step, logs):
        # Reading the loss waits for the step, which may run asynchronously.
        float(logs["loss"])
        times.append((time.perf_counter(), time.process_time()))

    started = time.perf_counter()
    note = keras.callbacks.LambdaCallback(on_train_batch_end=note_time)
    model.fit(batches, shuffle=False, verbose=0, callbacks=[note])
    (first, first_cpu), (last, last_cpu) = times[WARM_UP_STEPS - 1], times[-1]
    source, target = lengths[WARM_UP_STEPS:].reshape(-1, 2).T.astype("int64")
    products = additive_products(vocabulary=VOCABULARY_SIZE)
    return {
        "device": device_name(keras.backend.backend()),
        "tokens": int(target.sum()),
        "operations": int(products.operations(source.sum(), target.sum(), (source * target).sum())),
        "seconds": last - first,
        "cpu_seconds": last_cpu - first_cpu,
        "start_seconds": times[0][0] - started,
        "product": product_rate(keras, options),
    }


def random_batches(keras, count, batch_size):
    """`Batches`-like items of one shape, and the lengths `(count, batch_size, 2)` of their rows."""
    import numpy as np

    generator = np.random.default_rng(1)
    lengths = generator.integers(8, WIDTH + 1, (count, batch_size, 2))
    ids = generator.integers(4, VOCABULARY_SIZE, (3, count, batch_size, WIDTH), dtype="int32")
    is_source, is_target = (np.arange(WIDTH) < lengths[..., side, None] for side in range(2))

    class Items(keras.utils.PyDataset):
        def __len__(self):
            return count

        def __getitem__(self, index):
            source, target = is_source[index], is_target[index]
            inputs = {
                "source_ids": np.where(source, ids[0, index], 0),
                "target_in_ids": np.where(target, ids[1, index], 0),
            }
            return inputs, np.where(target, ids[2, index], 0), target.astype("float32")

    return Items(workers=0), lengths


def product_rate(keras, options):
    """Throughput of a matrix product in GFLOP/s (on a CPU: per CPU-second)."""
    import numpy as np
    from keras import ops

    rows, inner, columns = options.product_rows, 512, VOCABULARY_SIZE
    clock = time.process_time if device_name(keras.backend.backend()) == CPU else time.perf_counter
    generator = np.random.default_rng(2)
    left, right = (
        ops.cast(generator.standard_normal(shape, dtype="float32"), options.precision)
        for shape in ((rows, inner), (inner, columns))
    )
    seconds = []
    for _ in range(PRODUCT_REPETITIONS):
        started = clock()
        product = ops.matmul(left, right)
        # Waits for the product, and fetches one number of it.
        float(ops.convert_to_numpy(ops.cast(product[0, 0], "float32")))
        seconds.append(clock() - started)
    return 2 * rows * inner * columns / min(seconds) / 1e9


def device_name(backend):
    """Returns the name of the device that the backend uses."""
    if backend == "tensorflow":
        import tensorflow as tf

        names = [device.name for device in tf.config.list_physical_devices("GPU")]
        return names[0] if names else CPU
    if backend == "jax":
        import jax

        device = jax.devices()[0]
        return CPU if device.platform == "cpu" else device.device_kind
    import torch

    return torch.cuda.get_device_name() if torch.cuda.is_available() else CPU


if __name__ == "__main__":
    sys.exit(main())
