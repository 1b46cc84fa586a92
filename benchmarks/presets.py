"""Cost of each training preset: speed and memory of its steps.

Each preset is trained for a few steps in a process of its own, in float32 and in bfloat16, on ids
drawn at random. The columns: weights; target tokens per CPU-second, and per second on all cores;
peak memory of the process; hours that the preset's epochs take with this number of pairs on this
machine.

Example (takes some minutes):

    python benchmarks/presets.py
"""

import argparse
import json
import resource
import subprocess
import sys
import time

# Pairs of a corpus that the preset is meant for, and target tokens of a sentence there.
CORPORA = {
    "tiny": (10_000, 12),
    "multi30k": (29_000, 17),
    "small": (100_000, 20),
    "base": (5_000_000, 25),
}
PRECISIONS = ("float32", "bfloat16")


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--steps", type=int, default=10, help="that are measured (%(default)s)")
    parser.add_argument("--only", nargs="+", choices=CORPORA, default=list(CORPORA))
    parser.add_argument("--one", nargs=2, metavar=("PRESET", "PRECISION"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(measure(*options.one, options.steps)))
        return
    print(
        "| preset | precision | weights | tokens / CPU second | tokens / second | peak memory |"
        " pairs | epochs | hours |\n|---|---|---|---|---|---|---|---|---|"
    )
    for preset in options.only:
        for precision in PRECISIONS:
            command = [sys.executable, __file__, "--one", preset, precision]
            command += ["--steps", str(options.steps)]
            output = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
            result = json.loads(output.splitlines()[-1])
            pairs, length = CORPORA[preset]
            hours = pairs * length * result["epochs"] / result["tokens_per_second"] / 3600
            print(
                f"| {preset} | {precision} | {result['weights'] / 1e6:.1f} M |"
                f" {result['tokens_per_cpu_second']:,.0f} | {result['tokens_per_second']:,.0f} |"
                f" {result['peak_megabytes']:,.0f} MB | {pairs:,} | {result['epochs']} |"
                f" {hours:,.1f} |",
                flush=True,
            )


def measure(preset, precision, steps):
    """Trains one preset for some steps, after a warm-up of the same number."""
    import keras
    import numpy as np

    from keras_bahdanau.models import TranslationModel
    from keras_bahdanau.training.compilation import compile_for_training
    from keras_bahdanau.training.presets import preset_options

    options = preset_options(preset, precision=precision)
    _, length = CORPORA[preset]
    rows = options.batch_size
    if options.tokens_per_batch:
        rows = options.tokens_per_batch // length

    class RandomBatches(keras.utils.PyDataset):
        def __len__(self):
            return steps

        def __getitem__(self, index):
            # Consecutive batches of different widths, as in training.
            shape = rows, length + index % 2
            generator = np.random.default_rng(index)
            ids = generator.integers(4, options.vocabulary_size, (3, *shape)).astype("int32")
            inputs = {"source_ids": ids[0], "target_in_ids": ids[1]}
            return inputs, ids[2], np.ones(shape, "float32")

    translation_model = TranslationModel(options.vocabulary_size, **options.model_arguments())
    model = compile_for_training(translation_model, options, steps)
    batches = RandomBatches()

    def train():
        model.fit(model.fit_input(batches), steps_per_epoch=steps, shuffle=False, verbose=0)

    train()
    cpu, wall = time.process_time(), time.perf_counter()
    train()
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    tokens = sum(batches[index][1].size for index in range(steps))
    return {
        "weights": translation_model.count_params(),
        "epochs": options.epochs,
        "tokens_per_cpu_second": tokens / cpu,
        "tokens_per_second": tokens / wall,
        "peak_megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


if __name__ == "__main__":
    main()
