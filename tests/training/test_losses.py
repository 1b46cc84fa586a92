import numpy as np
import pytest
from keras import ops
from on_backend import cases, value_and_gradients

from keras_bahdanau.training import losses
from keras_bahdanau.training.losses import output_loss

ROWS, DIM, VOCABULARY_SIZE = 23, 5, 11


def arrays(is_embedding, has_bias):
    generator = np.random.default_rng(0)
    shape = (VOCABULARY_SIZE, DIM) if is_embedding else (DIM, VOCABULARY_SIZE)
    given = [
        generator.normal(size=(ROWS, DIM)),
        generator.normal(size=shape),
        generator.normal(size=VOCABULARY_SIZE),
    ]
    given = [array.astype("float32") for array in (given if has_bias else given[:2])]
    labels = generator.integers(0, VOCABULARY_SIZE, ROWS).astype("int32")
    return given, labels, generator.random(ROWS).astype("float32")


def definition(features, kernel, bias, labels, weights, label_smoothing, is_embedding):
    """Cross-entropy against the smoothed distribution, written down."""
    logits = ops.matmul(features, ops.transpose(kernel) if is_embedding else kernel) + bias
    log_p = logits - ops.logsumexp(logits, axis=-1, keepdims=True)
    smooth = label_smoothing / VOCABULARY_SIZE
    target = (1 - label_smoothing) * ops.one_hot(labels, VOCABULARY_SIZE) + smooth
    loss = -ops.sum(target * log_p, axis=-1)
    return ops.sum(ops.multiply(weights, loss))


@pytest.mark.parametrize("chunk_rows", cases([1, 100, 4]))
@pytest.mark.parametrize("has_bias", [False, True])
@pytest.mark.parametrize("is_embedding", [False, True])
@pytest.mark.parametrize("label_smoothing", cases([0.0, 0.2]))
def test_loss_and_gradients_are_those_of_the_definition(
    monkeypatch, label_smoothing, is_embedding, has_bias, chunk_rows
):
    monkeypatch.setattr(losses, "LOGITS", chunk_rows * VOCABULARY_SIZE)
    given, labels, weights = arrays(is_embedding, has_bias)
    others = labels, weights, label_smoothing, is_embedding

    def ours(features, kernel, bias=None):
        return output_loss(features, kernel, bias, *others)

    def theirs(features, kernel, bias=0.0):
        return definition(features, kernel, bias, *others)

    value, gradients = value_and_gradients(ours, given)
    expected_value, expected_gradients = value_and_gradients(theirs, given)
    np.testing.assert_allclose(value, expected_value, rtol=1e-5)
    for gradient, expected in zip(gradients, expected_gradients, strict=True):
        np.testing.assert_allclose(gradient, expected, atol=1e-5)


def test_logits_of_any_size_give_a_finite_loss():
    given, labels, weights = arrays(is_embedding=False, has_bias=True)
    given[0] *= 1000
    value, gradients = value_and_gradients(lambda *t: output_loss(*t, labels, weights, 0.1), given)
    expected, _ = value_and_gradients(lambda *t: definition(*t, labels, weights, 0.1, False), given)
    np.testing.assert_allclose(value, expected, rtol=1e-5)
    assert all(np.isfinite(gradient).all() for gradient in gradients)


def test_rows_without_weight_do_not_count():
    given, labels, weights = arrays(is_embedding=True, has_bias=False)
    weights[7:] = 0
    changed = [given[0].copy(), given[1]]
    changed[0][7:] = 9
    values = [
        value_and_gradients(lambda f, k: output_loss(f, k, None, labels, weights, 0.1, True), x)
        for x in (given, changed)
    ]
    np.testing.assert_allclose(values[0][0], values[1][0], rtol=1e-6)
    np.testing.assert_allclose(values[0][1][1], values[1][1][1], atol=1e-6)
    np.testing.assert_array_equal(values[0][1][0][7:], 0)


def test_wrong_arguments_are_refused():
    given, labels, weights = arrays(is_embedding=False, has_bias=True)
    with pytest.raises(ValueError, match="label_smoothing=1"):
        output_loss(*given, labels, weights, label_smoothing=1)
