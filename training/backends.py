"""What a training run does in its own way on TensorFlow, JAX and PyTorch."""

import os
import random

import keras
import numpy as np

from .options import TrainingOptions

# Enough for few programs on JAX, and not much more padding: on 29,000 pairs of 15 tokens a side, in
# batches of 128, there are 24 shapes in place of 335 in four epochs, and the loops over time make
# 12 % more steps. TensorFlow generates code for products of each shape that it meets and keeps the
# last thousand of each kind, some 300 kB each; its loops skip padding, and need fewer shapes less.
LENGTH_MULTIPLES = {"jax": 8, "tensorflow": 4}


def make_repeatable(seed: int):
    """Seeds everything, and makes the operations deterministic for the rest of the process.

    JAX is deterministic on processors. On GPUs it is with the variable
    `XLA_FLAGS=--xla_gpu_deterministic_ops=true`, which takes time, so that is left to the user.
    """
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        keras.utils.set_random_seed(seed)
        tf.config.experimental.enable_op_determinism()
        return
    # From here Keras draws the seeds of initializers and of dropout (see `SeededSteps`, though).
    # Its `set_random_seed` would import TensorFlow wherever it is installed.
    random.seed(seed)
    if keras.backend.backend() == "torch":
        import torch

        # Its products on GPUs are deterministic only with this.
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
        torch.use_deterministic_algorithms(True, warn_only=True)
        torch.utils.deterministic.fill_uninitialized_memory = False


class SeededSteps(keras.callbacks.Callback):
    """Seeds PyTorch before each step, by the step's place in the run.

    Keras's dropout takes its masks from PyTorch's own generator there, whose state no checkpoint
    holds. On other backends it has its own, and this callback does nothing.

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
    """The arguments of `BatchPlan` about the shapes of batches.

    JAX compiles each shape, and TensorFlow parts of it: there it is better to have few, and more
    padding. The pairs of a batch are the same on all backends.
    """
    backend = keras.backend.backend()
    multiple = options.length_multiple or LENGTH_MULTIPLES.get(backend, 1)
    return {"length_multiple": multiple, "few_shapes": backend == "jax"}
