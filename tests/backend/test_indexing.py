import numpy as np
from keras import ops
from on_backend import value_and_gradients

from keras_bahdanau.backend.indexing import split

WIDTHS = [3, 1, 4]


def test_parts_side_by_side_are_the_whole():
    whole = np.random.default_rng(0).normal(size=(2, 5, 8)).astype("float32")
    parts = [ops.convert_to_numpy(part) for part in split(ops.convert_to_tensor(whole), WIDTHS)]
    assert [part.shape[-1] for part in parts] == WIDTHS
    np.testing.assert_array_equal(np.concatenate(parts, axis=-1), whole)


def test_the_gradient_of_the_whole_are_the_gradients_of_its_parts():
    generator = np.random.default_rng(1)
    whole = generator.normal(size=(2, 8)).astype("float32")
    factors = generator.normal(size=(2, 8)).astype("float32")

    def loss(tensor, use_all):
        pairs = zip(split(tensor, WIDTHS), np.split(factors, [3, 4], axis=-1), strict=True)
        terms = [ops.sum(ops.multiply(ops.square(part), factor)) for part, factor in pairs]
        return sum(terms if use_all else terms[:2])

    expected = 2 * whole * factors
    np.testing.assert_allclose(
        value_and_gradients(lambda x: loss(x, True), [whole])[1][0], expected, rtol=1e-5
    )
    # A part that nobody uses has no gradient.
    expected[:, 4:] = 0
    np.testing.assert_allclose(
        value_and_gradients(lambda x: loss(x, False), [whole])[1][0], expected, rtol=1e-5
    )
