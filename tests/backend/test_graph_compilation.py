import keras
import numpy as np
from keras import ops

from keras_bahdanau.backend.compilation import compile_for_ids

SHAPES = [(1, 3), (2, 5), (3, 7), (4, 1), (2, 2)]
# JAX compiles rows of 1, 2 and 4, with 8 columns.
TRACES = {"tensorflow": 1, "jax": 3, "torch": len(SHAPES)}


def test_few_programs_serve_all_shapes():
    calls = []

    def total(first, second, number):
        calls.append(1)
        sums = ops.sum(first, axis=1) + 2 * ops.sum(second, axis=1)
        return sums, number * ops.ones_like(first, dtype="float32")

    function = compile_for_ids(total, 2, num_numbers=1)
    for rows, columns in SHAPES:
        first, second = np.ones((rows, columns), "int32"), np.ones((rows, columns + 1), "int32")
        sums, tens = map(ops.convert_to_numpy, function(first, second, 10.0))
        np.testing.assert_array_equal(sums, np.full(rows, 3 * columns + 2))
        np.testing.assert_array_equal(tens[:, :columns], np.full((rows, columns), 10.0))
        assert len(tens) == rows
    assert len(calls) == TRACES[keras.backend.backend()]


def test_variables_count_with_their_values_at_the_call():
    weight = keras.Variable(3.0)
    function = compile_for_ids(
        lambda ids: weight * ops.cast(ops.sum(ids, axis=1), "float32"), 1, variables=[weight]
    )
    ids = np.ones((2, 4), "int32")
    np.testing.assert_array_equal(ops.convert_to_numpy(function(ids)), [12.0, 12.0])
    weight.assign(5.0)
    np.testing.assert_array_equal(ops.convert_to_numpy(function(ids)), [20.0, 20.0])
