"""This package at the common shape: `TranslationModel`, `compile_for_training` and `fit`.

The batches are made by the package's `Batches`, of the pairs that the other programs get.
"""

import argparse
import dataclasses
import tempfile
from pathlib import Path

import keras
import numpy as np
import timed_run
from token_batches import END_ID, PAD_ID, START_ID

from keras_bahdanau.models import TranslationModel
from keras_bahdanau.training.backends import shape_options
from keras_bahdanau.training.compilation import compile_for_training
from keras_bahdanau.training.data.batch_plan import BatchPlan
from keras_bahdanau.training.data.batches import Batches
from keras_bahdanau.training.data.corpus_writer import build_corpus
from keras_bahdanau.training.options import TrainingOptions

# The common shape; a constant learning rate and no regularization, as the others have.
OPTIONS = {
    "embedding_dim": timed_run.EMBEDDING_DIM,
    "encoder_units": timed_run.ENCODER_UNITS,
    "decoder_units": timed_run.DECODER_UNITS,
    "attention_units": timed_run.ATTENTION_UNITS,
    "readout_units": timed_run.READOUT_UNITS,
    "order": "before",
    "tie_embeddings": "none",
    "ema_momentum": 0.0,
    "dropout": 0.0,
    "label_smoothing": 0.0,
    "clip_norm": 0.0,
    "warmup_steps": 0,
    "final_learning_rate": 1.0,
}
LONGEST_SENTENCE = 1 << 16


class Trainer:
    """See `timed_run`."""

    def __init__(self, arguments):
        keras.utils.set_random_seed(1)
        types = {field.name: field.type for field in dataclasses.fields(TrainingOptions)}
        changes = {name: types[name](value) for name, value in arguments.option}
        self.vocabulary_size = arguments.vocabulary_size
        self.options = TrainingOptions(
            **{**OPTIONS, "learning_rate": arguments.learning_rate, **changes}
        )
        self.model = TranslationModel(
            arguments.vocabulary_size, pad_id=PAD_ID, **self.options.model_arguments()
        )
        self.weights = self.model.count_params()

    def train(self, batches, after_step):
        batches = list(batches)
        with tempfile.TemporaryDirectory() as directory:
            corpus = build_corpus(
                Path(directory) / "corpus",
                (
                    (source[:-1], target[:-1])
                    for batch in batches
                    for source, target in zip(*batch, strict=True)
                ),
                end_id=END_ID,
                max_length=LONGEST_SENTENCE,
                vocabulary_size=self.vocabulary_size,
            )
            plan = GivenPlan(
                corpus, [len(sources) for sources, _ in batches], **shape_options(self.options)
            )
            model = compile_for_training(self.model, self.options, len(batches))
            model.fit(
                Batches(corpus, plan, start_id=START_ID, pad_id=PAD_ID),
                shuffle=False,
                verbose=0,
                callbacks=[
                    keras.callbacks.LambdaCallback(
                        on_train_batch_end=lambda batch, logs: after_step()
                    )
                ],
            )


class GivenPlan(BatchPlan):
    """The pairs of a corpus in the order in which they stand there, so many a batch."""

    def __init__(self, corpus, pairs_per_batch, **shapes):
        super().__init__(
            corpus.source_lengths, corpus.target_lengths, batch_size=max(pairs_per_batch), **shapes
        )
        self.pairs_per_batch = pairs_per_batch

    def batches(self, epoch):
        return np.split(np.arange(sum(self.pairs_per_batch)), np.cumsum(self.pairs_per_batch)[:-1])


def _option(text):
    name, _, value = text.partition("=")
    if name not in {field.name for field in dataclasses.fields(TrainingOptions)} or not value:
        raise argparse.ArgumentTypeError(f"expected NAME=VALUE of a training option, got {text}")
    return name, value


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument(
        "--option",
        type=_option,
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a field of `TrainingOptions`, as often as wanted",
    )
    timed_run.main(Trainer, ("keras", "tensorflow"), parser)
