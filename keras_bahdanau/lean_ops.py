"""What Keras makes of several operations in a graph of TensorFlow, made of one.

Inside a loop over tokens the operations are so small that their number is what counts.
"""

import keras
from keras import ops


def rows_of(tensor, rows):
    """`keras.ops.take` along the first dimension, for rows that are none of them negative."""
    if keras.backend.backend() != "tensorflow":
        return ops.take(tensor, rows, axis=0)
    import tensorflow as tf

    return tf.gather(tensor, rows)


def parts_of(tensor, sizes):
    """Tensors of widths `sizes` that stand side by side along the last dimension.

    Unlike slices, whose gradients are tensors of the whole width each, they have one gradient.
    """
    if keras.backend.backend() != "tensorflow":
        ends = [sum(sizes[:end]) for end in range(1, len(sizes))]
        return ops.split(tensor, ends, axis=-1)
    import tensorflow as tf

    return tf.split(tensor, sizes, axis=-1)
