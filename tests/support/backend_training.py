"""Trains on the backend of its process, once without and once with an interruption.

python backend_training.py DIRECTORY: leaves the model directories `whole` and `interrupted`, the
model directory `varied` with random weights, and what that model says in `said.json`.
"""

import json
import sys
from pathlib import Path

import keras
import numpy as np
from toy_corpus import word_by_word_pairs

from keras_bahdanau.quiet import import_keras_quietly
from keras_bahdanau.training import training_run
from keras_bahdanau.training.checkpoints import Checkpoints
from keras_bahdanau.training.data.splits import Splits
from keras_bahdanau.training.presets import preset_options

WIDTHS = ("embedding_dim", "encoder_units", "decoder_units", "attention_units")
OPTIONS = preset_options(
    **dict.fromkeys(WIDTHS, 16),
    vocabulary_size=60,
    dropout=0.1,
    ema_momentum=0.5,
    learning_rate=0.03,
    warmup_steps=2,
    batch_size=16,
    epochs=2,
    checkpoint_every=2,
    max_length=32,
    # One shape for all batches, where each is compiled.
    length_multiple=32 if keras.backend.backend() == "jax" else 0,
)
PAIRS = word_by_word_pairs(68)
SPLITS = Splits(PAIRS[:56], PAIRS[56:], [])
SOURCES = [source for source, _ in PAIRS[50:60]]
TARGETS = [target for _, target in PAIRS[50:60]]


class SavesAndStops(Checkpoints):
    """The checkpoints of a run that is interrupted in the middle of its last epoch."""

    def save(self, model, progress):
        super().save(model, progress)
        if (progress.epoch, progress.batch) == (1, 2):
            raise KeyboardInterrupt


def main(directory):
    # As the command does: TensorFlow stays out, unless it is the backend.
    import_keras_quietly()
    translator, metrics = training_run.train(SPLITS, OPTIONS, directory / "whole")
    training_run.Checkpoints = SavesAndStops
    try:
        training_run.train(SPLITS, OPTIONS, directory / "interrupted")
    except KeyboardInterrupt:
        training_run.Checkpoints = Checkpoints
    training_run.train(SPLITS, OPTIONS, directory / "interrupted")
    # After so few steps all translations are alike; with large random weights they are not.
    generator, weights = np.random.default_rng(0), translator.model.get_weights()
    translator.model.set_weights([generator.uniform(-1, 1, weight.shape) for weight in weights])
    translator.save(directory / "varied")
    ranked, _ = translator.translate_n_best(SOURCES, beam_width=3, n_best=2)
    said = {
        "modules": sorted({"tensorflow", "jax", "torch"} & sys.modules.keys()),
        "metrics": metrics,
        "texts": [[each.text for each in row] for row in ranked],
        "log_probabilities": [[each.log_probability for each in row] for row in ranked],
        "scores": translator.score(SOURCES, TARGETS),
    }
    (directory / "said.json").write_text(json.dumps(said))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
