import keras
import numpy as np
import pytest

from keras_bahdanau.training.replicated_model import share


def a_batch(rows):
    generator = np.random.default_rng(rows)
    ids = generator.integers(4, 50, (2, rows, 5)).astype("int32")
    lengths = generator.integers(1, 6, rows)
    weights = (np.arange(5) < lengths[:, None]).astype("float32")
    return {"source_ids": ids[0], "target_in_ids": ids[0]}, ids[1], weights


@pytest.mark.parametrize("rows", [8, 7, 3, 1])
@pytest.mark.parametrize("replicas", [1, 2, 3])
def test_the_shares_are_the_batch(rows, replicas):
    batch = a_batch(rows)
    shares = [share(batch, replica, replicas) for replica in range(replicas)]
    heights = {len(each) for part in shares for each in keras.tree.flatten(part)}
    assert heights == {-(-rows // replicas)}

    def in_order(pick):
        # Place k of share r is place r + k * replicas of the batch; what is beyond fills up.
        return np.stack([pick(part) for part in shares], axis=1).reshape(-1, 5)

    for pick in (lambda part: part[0]["source_ids"], lambda part: part[1]):
        np.testing.assert_array_equal(in_order(pick)[:rows], pick(batch))
    weights = in_order(lambda part: part[2])
    np.testing.assert_allclose(weights[:rows], batch[2] / batch[2].sum(), rtol=1e-6)
    assert weights.dtype == np.float32


@pytest.mark.parametrize("rows", [7, 3, 1])
def test_what_fills_up_is_computed_and_adds_nothing(rows):
    parts = [share(a_batch(rows), replica, 4)[2] for replica in range(4)]
    fillers = np.stack(parts, axis=1).reshape(-1, 5)[rows:]
    assert (fillers.max(axis=1) > 0).all()
    assert np.float32(1e-12) + fillers.sum(dtype="float32") == np.float32(1e-12)
