import keras
import numpy as np
import pytest
from keras import ops

from keras_bahdanau.compiled import compile_for_ids


@pytest.fixture
def counted():
    """A function of ids, and the list of its calls from Python."""
    calls = []

    def total(first, second):
        calls.append(1)
        return ops.sum(first, axis=1) - ops.sum(second, axis=1)

    return total, calls


def check(function):
    for shape in ((1, 3), (2, 5), (4, 1)):
        first, second = np.ones(shape, "int32"), np.zeros(shape, "int32")
        result = ops.convert_to_numpy(function(first, second))
        np.testing.assert_array_equal(result, np.full(shape[0], shape[1]))


def test_on_tensorflow_one_graph_serves_all_shapes(counted):
    total, calls = counted
    check(compile_for_ids(total, 2))
    assert len(calls) == (1 if keras.backend.backend() == "tensorflow" else 3)


def test_elsewhere_the_function_stays_as_it_is(counted, monkeypatch):
    total, calls = counted
    monkeypatch.setattr(keras.backend, "backend", lambda: "torch")
    check(compile_for_ids(total, 2))
    assert len(calls) == 3
