"""Differences between backends in training: determinism, random seeds, shapes of batches."""

import os
import random

import keras
import numpy as np

from .options import TrainingOptions

# A compromise between few shapes and little padding: on 29,000 pairs of 15 tokens a side, in
# batches of 128, a multiple of 8 gives 24 shapes instead of 335 in four epochs, and 12 % more time
# steps. TensorFlow generates code for matrix products of each shape and caches the last thousand of
# each kind, about 300 kB each; its loops skip padding, and need fewer shapes less.
LENGTH_MULTIPLES = {"jax": 8, "tensorflow": 4}


def make_repeatable(seed: int):
    """Seeds all generators, and makes operations deterministic for the rest of the process.

    JAX is deterministic on processors. On GPUs it is with the environment variable
    `XLA_FLAGS=--xla_gpu_deterministic_ops=true`, which is slower, so that is left to the user.
    """
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        keras.utils.set_random_seed(seed)
        tf.config.experimental.enable_op_determinism()
        return
    # Keras draws the seeds of initializers and of dropout from `random` (but see `SeededSteps`).
    # `keras.utils.set_random_seed` would import TensorFlow if it is installed.
    random.seed(seed)
    if keras.backend.backend() == "torch":
        import torch

        # Matrix products on GPUs are deterministic only with this.
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
        torch.use_deterministic_algorithms(True, warn_only=True)
        torch.utils.deterministic.fill_uninitialized_memory = False


class SeededSteps(keras.callbacks.Callback):
    """Callback that seeds PyTorch before each step, from the seed, the epoch and the batch.

    On PyTorch, Keras draws dropout masks from PyTorch's own generator, whose state is in no
    checkpoint. On other backends Keras has its own generators, and this callback does nothing.

    Args:
        batches: the epoch's `Batches`.
        seed: the run's seed.
    """

    def __init__(self, batches, seed: int):
        super().__init__()
        self.batches = batches
        self.seed = seed

    def on_train_batch_begin(self, batch, logs=None):
        if keras.backend.backend() != "torch":
            return
        import torch

        place = (self.seed, self.batches.epoch, self.batches.start + batch)
        (seed,) = np.random.SeedSequence(place).generate_state(1, np.uint64)
        torch.manual_seed(int(seed))


def shape_options(options: TrainingOptions) -> dict:
    """Returns the arguments of `BatchPlan` about the shapes of batches.

    JAX compiles each shape, and TensorFlow parts of it: few shapes with more padding are faster
    there. Which pairs are in which batch is the same on all backends.
    """
    backend = keras.backend.backend()
    multiple = options.length_multiple or LENGTH_MULTIPLES.get(backend, 1)
    return {"length_multiple": multiple, "few_shapes": backend == "jax"}
