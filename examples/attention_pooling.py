"""Attention pooling: which moments of a time series decide what it is?

Each series is noise with one short event at a random place: a rise and a fall, a fall and a rise,
or a double wave. All three sum to zero, so no average over the series tells them apart. A
bidirectional GRU reads the series; its last states are the query with which `BahdanauAttention`
reads its outputs; the context, which is their weighted mean, is all that the classifier sees.
Series differ in length: the padding is masked by `keras.layers.Masking`, and Keras passes
the mask to the attention.

Prints the accuracy on series that were not trained on and the share of the attention's weight
that lies on the event, and writes a picture of three series above their weights.

Takes 40 seconds of processor time, a minute or less, on two cores of an AMD EPYC with TensorFlow
(2026-11-22); the accuracy is then 0.986, and 0.912 of the weight is on the event.
"""

import argparse
import contextlib
import sys
from pathlib import Path

import keras
import numpy as np
from matplotlib.figure import Figure

from keras_bahdanau import BahdanauAttention
from keras_bahdanau.files import atomic_path

LENGTHS = (50, 80)
EVENT_LENGTH = 10
PHASE = np.linspace(0, 2 * np.pi, EVENT_LENGTH, endpoint=False) + np.pi / EVENT_LENGTH
EVENTS = {
    "rise and fall": np.sin(PHASE),
    "fall and rise": -np.sin(PHASE),
    "double wave": np.sin(2 * PHASE),
}
NOISE = 0.4


def main(arguments=None):
    options = _parser().parse_args(arguments)
    keras.utils.set_random_seed(options.seed)
    rng = np.random.default_rng(options.seed)
    series, labels, _ = make_series(options.examples, rng)
    new_series, new_labels, on_event = make_series(500, rng)

    classifier, reader = build_models()
    classifier.compile(
        keras.optimizers.Adam(0.003), "sparse_categorical_crossentropy", metrics=["accuracy"]
    )
    # Standard output is for the results.
    with contextlib.redirect_stdout(sys.stderr):
        classifier.fit(
            series,
            labels,
            epochs=options.epochs,
            batch_size=32,
            verbose=0 if options.quiet else "auto",
        )

    probabilities = classifier.predict(new_series, verbose=0)
    weights = reader.predict(new_series, verbose=0)
    accuracy = np.mean(probabilities.argmax(-1) == new_labels)
    shares = np.sum(weights * on_event, axis=-1)
    print(f"accuracy: {accuracy:.3f}")
    print(f"weight on the event: {shares.mean():.3f}")
    chosen = [int(np.argmax(new_labels == label)) for label in range(len(EVENTS))]
    write_picture(
        options.output, *(each[chosen] for each in (new_series, weights, on_event, probabilities))
    )
    print(f"picture: {options.output}")


def make_series(count, rng):
    """Draws series with one event each.

    Returns:
        `(series, labels, on_event)`: float array of shape `(count, length, 1)`, which is 0 after
        the end of a shorter series; int array of shape `(count,)`; bool array of shape
        `(count, length)`, True at the positions of the event.
    """
    positions = np.arange(LENGTHS[1])
    lengths = rng.integers(LENGTHS[0], LENGTHS[1] + 1, size=(count, 1))
    starts = rng.integers(0, lengths - EVENT_LENGTH + 1)
    labels = rng.integers(len(EVENTS), size=count)
    on_event = (positions >= starts) & (positions < starts + EVENT_LENGTH)
    series = rng.normal(scale=NOISE, size=on_event.shape)
    series[on_event] += np.stack(list(EVENTS.values()))[labels].ravel()
    series = np.where(positions < lengths, series, 0.0)
    return series[..., None].astype("float32"), labels, on_event


def build_models():
    """The classifier, and a model of the same layers that returns the attention weights."""
    series = keras.Input((None, 1))
    encoder = keras.layers.Bidirectional(
        keras.layers.GRU(32, return_sequences=True, return_state=True)
    )
    memory, forward, backward = encoder(keras.layers.Masking()(series))
    query = keras.layers.Concatenate()([forward, backward])
    context, weights = BahdanauAttention(units=32)(query, memory, return_attention_scores=True)
    probabilities = keras.layers.Dense(len(EVENTS), activation="softmax")(context)
    return keras.Model(series, probabilities), keras.Model(series, weights)


def write_picture(path, series, weights, on_event, probabilities):
    """Draws each series above the heat map of its weights, the event shaded."""
    figure = Figure(figsize=(9, 2.6 * len(series)), dpi=120, layout="constrained")
    for part, *example in zip(
        np.atleast_1d(figure.subfigures(len(series), 1)),
        series[..., 0],
        weights,
        on_event,
        probabilities,
        strict=True,
    ):
        _draw(part, *example)
    with atomic_path(path) as temporary:
        figure.savefig(temporary)


def _draw(part, series, weights, on_event, probabilities):
    length = np.flatnonzero(series)[-1] + 1
    event = np.flatnonzero(on_event)
    line, heat = part.subplots(2, 1, sharex=True, height_ratios=(4, 1))
    line.axvspan(event[0] - 0.5, event[-1] + 0.5, color="orange", alpha=0.25)
    line.plot(series[:length], color="black", linewidth=1)
    line.set_ylabel("series")
    line.set_title(
        f"“{list(EVENTS)[probabilities.argmax()]}” with probability {probabilities.max():.2f}; "
        f"{weights[on_event].sum():.0%} of the weight is on the event (shaded)",
        loc="left",
    )
    image = heat.imshow(
        weights[None, :length], aspect="auto", cmap="Blues", vmin=0, interpolation="nearest"
    )
    heat.set_yticks([])
    heat.set_xlabel("time step")
    part.colorbar(image, ax=[line, heat], label="attention weight")


def _parser():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--epochs", type=int, default=8, help="passes over the data (%(default)s)")
    parser.add_argument("--examples", type=int, default=3000, help="to train on (%(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of data and weights (%(default)s)")
    parser.add_argument(
        "--output",
        type=Path,
        default="attention_pooling.png",
        help="the picture, a PNG (%(default)s)",
    )
    parser.add_argument("--quiet", action="store_true", help="draw no progress bars")
    return parser


if __name__ == "__main__":
    main()
