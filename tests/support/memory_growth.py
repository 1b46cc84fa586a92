"""Prints by how many bytes the peak of this process's memory grows with the gradients of a call.

python tests/support/memory_growth.py scores|decoder BATCH_SIZE QUERY_LENGTH VALUE_LENGTH UNITS
"""

import resource
import sys

import keras
import numpy as np
from attention_oracle import arrays_of
from on_backend import compiled, value_and_gradients, weighted_loss

from keras_bahdanau import AttentionRNN, BahdanauAttention
from keras_bahdanau.layers.additive_scores import additive_scores


def peak():
    kibibytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return kibibytes if sys.platform == "darwin" else 1024 * kibibytes


def ones(*shapes):
    return [np.ones(shape, "float32") for shape in shapes]


def gradients_of_scores(batch_size, query_length, value_length, units):
    arrays = ones((batch_size, query_length, units), (batch_size, value_length, units), (units,))
    value_and_gradients(lambda *tensors: keras.ops.sum(additive_scores(*tensors)), arrays)


def gradients_of_decoder(batch_size, query_length, value_length, units):
    layer = AttentionRNN(keras.layers.GRUCell(16), BahdanauAttention(units))
    inputs, memory = ones((batch_size, query_length, 8), (batch_size, value_length, 8))
    layer.build(inputs.shape, memory.shape)
    arrays = [inputs, memory, *arrays_of(layer.trainable_variables)]
    value_and_gradients(weighted_loss(layer, np.ones, training=True), arrays, compile=compiled)


if __name__ == "__main__":
    run = {"scores": gradients_of_scores, "decoder": gradients_of_decoder}[sys.argv[1]]
    # What the backend itself needs, however small the call.
    run(2, 3, 4, 5)
    before = peak()
    run(*map(int, sys.argv[2:]))
    print(peak() - before)
