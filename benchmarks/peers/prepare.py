"""Writes the token ids and batches that all programs train on, and the tokenizer of them.

Batches in random order are of pairs as a shuffle leaves them; bucketed ones are those of
`keras_bahdanau.training.data.batch_plan.BatchPlan`: sorted by length within pools of
64 batches. Both have 64 pairs; what is left over at the end of an epoch is not used.
"""

import argparse
import sys
from itertools import chain
from pathlib import Path

import numpy as np
from token_batches import END_ID, flattened

from keras_bahdanau.files import atomic_path
from keras_bahdanau.text.tokenizer import Tokenizer
from keras_bahdanau.training.corpora.parallel_text import read_parallel
from keras_bahdanau.training.data.batch_plan import BatchPlan

BATCH_SIZE = 64
BATCHES_FILE, TOKENIZER_FILE = "batches.npz", "tokenizer.model"


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("source-train", "target-train", "source-validation", "target-validation"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--output", type=Path, required=True, help="directory of the two files")
    parser.add_argument("--vocabulary-size", type=int, default=8000)
    parser.add_argument("--epochs", type=int, default=30)
    options = parser.parse_args(arguments)

    pairs = list(read_parallel(options.source_train, options.target_train))
    validation = list(read_parallel(options.source_validation, options.target_validation))
    tokenizer = Tokenizer.train(chain.from_iterable(pairs), options.vocabulary_size)
    encoded = [tuple([*tokenizer.encode(text), END_ID] for text in pair) for pair in pairs]
    sources, targets = zip(*encoded, strict=True)
    sides = {
        "source": sources,
        "target": targets,
        "validation_source": [[*tokenizer.encode(source), END_ID] for source, _ in validation],
    }
    arrays = {"vocabulary_size": np.array(tokenizer.vocabulary_size)}
    for name, rows in sides.items():
        arrays[f"{name}_ids"], arrays[f"{name}_offsets"] = flattened(rows)
    lengths = [np.diff(arrays[f"{side}_offsets"]) for side in ("source", "target")]
    arrays |= orders(*lengths, options.epochs)
    with atomic_path(options.output / BATCHES_FILE) as temporary:
        np.savez(temporary, **arrays)
    tokenizer.save(options.output / TOKENIZER_FILE)
    return 0


def orders(source_lengths, target_lengths, epochs):
    """Batches of both orders: int32 arrays `(epochs, batches, BATCH_SIZE)` of indices of pairs."""
    whole = len(source_lengths) // BATCH_SIZE
    generator = np.random.default_rng(1)
    plan = BatchPlan(source_lengths, target_lengths, batch_size=BATCH_SIZE, seed=1)
    random, bucketed = [], []
    for epoch in range(epochs):
        order = generator.permutation(len(source_lengths))
        random.append(order[: whole * BATCH_SIZE].reshape(whole, BATCH_SIZE))
        batches = [rows for rows in plan.batches(epoch) if len(rows) == BATCH_SIZE]
        bucketed.append(np.stack(batches[:whole]))
    return {"random": np.int32(random), "bucketed": np.int32(bucketed)}


if __name__ == "__main__":
    sys.exit(main())
