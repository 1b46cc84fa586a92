"""Batches as TensorFlow's `fit` is best given them."""

import tensorflow as tf

_IDS = tf.TensorSpec((None, None), "int32")
_SIGNATURE = (
    {"source_ids": _IDS, "target_in_ids": _IDS},
    _IDS,
    tf.TensorSpec((None, None), "float32"),
)
# How many items are made ahead, in a thread.
AHEAD = 2


def dataset_of(generate) -> tf.data.Dataset:
    """A `tf.data.Dataset` of items as those of `Batches`.

    Keras would make one of `Batches` too, with tuning by TensorFlow. The thread that tunes sleeps
    for twice as long each time, up to a minute, and with deterministic operations `fit` may return
    only when it wakes up: short epochs took twice their time.

    Args:
        generate: function without arguments that returns an iterator of the items.
    """
    dataset = tf.data.Dataset.from_generator(generate, output_signature=_SIGNATURE)
    options = tf.data.Options()
    options.autotune.enabled = False
    return dataset.prefetch(AHEAD).with_options(options)
