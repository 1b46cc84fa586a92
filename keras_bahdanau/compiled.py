"""Functions of token ids, compiled once for batches of any shape."""

import keras


def compile_for_ids(function, num_arguments):
    """Compiles a function of int32 tensors of shape `(batch_size, length)`.

    On TensorFlow it becomes one graph for all shapes; on JAX and PyTorch, where every shape would
    be compiled anew, it stays as it is.

    Args:
        function: takes `num_arguments` tensors.
        num_arguments: how many.

    Returns:
        A function of NumPy arrays.
    """
    if keras.backend.backend() != "tensorflow":
        return lambda *ids: function(*map(keras.ops.convert_to_tensor, ids))
    import tensorflow as tf

    signature = [tf.TensorSpec((None, None), tf.int32)] * num_arguments
    return tf.function(function, input_signature=signature)
