"""An image captioner that shows where it looks (Show, Attend and Tell, Xu et al. 2015).

An image holds two coloured shapes on a grid of 5 by 5 places, one above or left of the other. A
small convolutional network turns it into one feature vector for each place; an LSTM in an
`AttentionRNN` attends to the 25 places while it writes a caption, such as "a red square above a
blue circle", word by word: with teacher forcing in training, with `greedy_search` afterwards.

Prints the share of new images whose caption is right in every word, the share of the attention's
weight that lies on the named shape while its colour and its name are written, and some captions;
writes a picture with the map of each word over its image.

Takes 40 seconds of processor time, a minute or less, on two cores of an AMD EPYC with TensorFlow
(2026-11-22); 0.987 of the captions are then right, and 0.960 of the weight is on the named shape.

Reference: https://arxiv.org/abs/1502.03044
"""

import argparse
import contextlib
import sys
from pathlib import Path

import keras
import numpy as np
from keras import ops
from matplotlib.figure import Figure

from keras_bahdanau import AttentionRNN, BahdanauAttention
from keras_bahdanau.files import atomic_path
from keras_bahdanau.search import greedy_search

GRID, CELL, BACKGROUND = 5, 12, 0.85
COLOURS = {"red": (0.9, 0.2, 0.2), "green": (0.2, 0.7, 0.3), "blue": (0.2, 0.4, 0.9)}
SHAPES = {
    "square": lambda y, x: np.maximum(abs(y), abs(x)) < 4,
    "circle": lambda y, x: y**2 + x**2 < 22,
    "triangle": lambda y, x: (abs(x) < (y + 5) / 2) & (y < 4),
}
WORDS = ["<pad>", "<start>", "<end>", "a", "above", "left", "of", *COLOURS, *SHAPES]
PAD_ID, START_ID, END_ID = 0, 1, 2
MAX_LENGTH = 9


def main(arguments=None):
    options = _parser().parse_args(arguments)
    keras.utils.set_random_seed(options.seed)
    rng = np.random.default_rng(options.seed)
    images, captions, _ = make_images(options.examples, rng)
    new_images, new_captions, places = make_images(300, rng)
    target_ids = token_ids_of(captions)
    target_in_ids = np.pad(target_ids[:, :-1], ((0, 0), (1, 0)), constant_values=START_ID)

    captioner = Captioner(units=128)
    captioner.compile(
        keras.optimizers.Adam(0.002),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=PAD_ID),
    )
    # Standard output is for the results.
    with contextlib.redirect_stdout(sys.stderr):
        captioner.fit(
            [images, target_in_ids],
            target_ids,
            epochs=options.epochs,
            batch_size=32,
            verbose=0 if options.quiet else "auto",
        )

    written, weights = captioner.caption(new_images)
    right = [caption == expected for caption, expected in zip(written, new_captions, strict=True)]
    # The colour and the name of the first shape are words 1 and 2; of the second, the last two.
    on_shapes = [
        weight[[1, 2, len(caption) - 2, len(caption) - 1], place.repeat(2)]
        for caption, weight, place in zip(written, weights, places, strict=True)
        if len(caption) > 4
    ]
    print(f"right captions: {np.mean(right):.3f}")
    print(f"weight on the named shape: {np.mean(on_shapes):.3f}")
    for caption in written[:3]:
        print(f"caption: {' '.join(caption)}")
    # One of each relation.
    chosen = [
        next(i for i, words in enumerate(new_captions) if word in words) for word in WORDS[4:6]
    ]
    write_picture(options.output, new_images[chosen], [written[i] for i in chosen], weights[chosen])
    print(f"picture: {options.output}")


def make_images(count, rng):
    """Draws images of two shapes.

    Returns:
        `(images, captions, places)`: float32 array of shape `(count, 60, 60, 3)`; list of lists
        of words; int array of shape `(count, 2)`, the grid places of the two shapes.
    """
    images = rng.normal(BACKGROUND, 0.05, size=(count, GRID * CELL, GRID * CELL, 3))
    captions, places = [], np.empty((count, 2), dtype="int32")
    for index in range(count):
        is_above = rng.random() < 0.5
        line = rng.integers(GRID)
        first, second = sorted(rng.choice(GRID, size=2, replace=False))
        cells = [(first, line), (second, line)] if is_above else [(line, first), (line, second)]
        names = []
        for which, (row, column) in enumerate(cells):
            colour, shape = rng.choice(list(COLOURS)), rng.choice(list(SHAPES))
            names.append(["a", str(colour), str(shape)])
            top, left = rng.uniform(-1, 1, size=2) + CELL * np.array([row, column])
            y, x = np.mgrid[: GRID * CELL, : GRID * CELL] - (CELL - 1) / 2
            images[index][SHAPES[shape](y - top, x - left)] = COLOURS[colour]
            places[index, which] = row * GRID + column
        captions.append([*names[0], *(["above"] if is_above else ["left", "of"]), *names[1]])
    return images.astype("float32"), captions, places


def token_ids_of(captions):
    """Int array of shape `(count, MAX_LENGTH)`: the words, the end token, then padding."""
    token_ids = np.full((len(captions), MAX_LENGTH), PAD_ID, dtype="int32")
    for row, caption in zip(token_ids, captions, strict=True):
        row[: len(caption) + 1] = [*map(WORDS.index, caption), END_ID]
    return token_ids


class Captioner(keras.Model):
    """Images of shape `(batch_size, 60, 60, 3)` and the words so far to logits of the next."""

    def __init__(self, units):
        super().__init__()
        options = {"padding": "same", "activation": "relu"}
        self.convolutions = keras.Sequential(
            [
                # Centred inputs: training takes a third of the steps.
                keras.layers.Rescaling(2.0, offset=-2 * BACKGROUND),
                keras.layers.Conv2D(32, 5, strides=3, **options),
                keras.layers.Conv2D(64, 3, strides=2, **options),
                keras.layers.Conv2D(units, 3, strides=2, **options),
                keras.layers.Reshape((GRID * GRID, units)),
            ]
        )
        # Position embedding: the features of a small network do not contain their position.
        self.place_embedding = keras.layers.Embedding(GRID * GRID, units)
        self.to_states = [keras.layers.Dense(units, activation="tanh") for _ in range(2)]
        self.embedding = keras.layers.Embedding(len(WORDS), units)
        self.decoder = AttentionRNN(keras.layers.LSTMCell(units), BahdanauAttention(units=units))
        self.to_logits = keras.layers.Dense(len(WORDS))

    def encode(self, images):
        """The memory, of shape `(batch_size, 25, units)`, and the states of the first step."""
        memory = self.convolutions(images) + self.place_embedding(ops.arange(GRID * GRID))
        mean = ops.mean(memory, axis=1)
        return memory, [layer(mean) for layer in self.to_states]

    def decode(self, token_ids, memory, states):
        """All words at once, or one step for `token_ids` of shape `(batch_size,)`."""
        outputs, contexts, weights, states = self.decoder(
            self.embedding(token_ids), memory, initial_state=states
        )
        logits = self.to_logits(ops.concatenate([outputs, contexts], axis=-1))
        return logits, states, weights

    def call(self, inputs):
        images, token_ids = inputs
        return self.decode(token_ids, *self.encode(images))[0]

    def caption(self, images):
        """Lists of words, and an array of shape `(count, MAX_LENGTH, 25)` of their weights."""
        memory, states = self.encode(images)
        found = greedy_search(
            lambda token_ids, states, memory: self.decode(token_ids, memory, states),
            states,
            memory,
            start_id=START_ID,
            end_id=END_ID,
            pad_id=PAD_ID,
            max_length=MAX_LENGTH,
        )
        rows = ops.convert_to_numpy(found.token_ids)[:, 0]
        words = [[WORDS[token_id] for token_id in row if token_id > END_ID] for row in rows]
        return words, ops.convert_to_numpy(found.attention_scores)[:, 0]


def write_picture(path, images, captions, weights):
    """Draws one row for each image: the image, and what the captioner saw at each word."""
    figure = Figure(figsize=(1.5 * MAX_LENGTH, 1.8 * len(images)), dpi=120, layout="constrained")
    axes = figure.subplots(len(images), MAX_LENGTH, squeeze=False)
    for row, image, caption, maps in zip(axes, images, captions, weights, strict=True):
        for ax in row:
            ax.axis("off")
        row[0].imshow(image.clip(0, 1))
        row[0].set_title("image")
        for ax, word, places in zip(row[1:], caption, maps, strict=False):
            seen = np.kron(places.reshape(GRID, GRID), np.ones((CELL, CELL)))[..., None]
            # Dark where the attention weights are small.
            ax.imshow(image.clip(0, 1) * (0.2 + 0.8 * np.minimum(seen / seen.max(), 1)))
            ax.set_title(f"{word} ({places.max():.0%})")
    figure.suptitle("bright: what was attended to as the word was written (the greatest weight)")
    with atomic_path(path) as temporary:
        figure.savefig(temporary)


def _parser():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--epochs", type=int, default=7, help="passes over the data (%(default)s)")
    parser.add_argument("--examples", type=int, default=3000, help="to train on (%(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of data and weights (%(default)s)")
    parser.add_argument(
        "--output", type=Path, default="captioner.png", help="the picture, a PNG (%(default)s)"
    )
    parser.add_argument("--quiet", action="store_true", help="draw no progress bars")
    return parser


if __name__ == "__main__":
    main()
