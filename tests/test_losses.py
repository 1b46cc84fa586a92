import keras
import numpy as np
import pytest

from keras_bahdanau.training.losses import SmoothedCrossEntropy


def smoothed_cross_entropy(y_true, logits, label_smoothing):
    """The definition: cross-entropy against the smoothed distribution, in float64."""
    logits = logits.astype("float64")
    log_probabilities = logits - np.log(np.exp(logits).sum(axis=-1, keepdims=True))
    size = logits.shape[-1]
    labels = (1 - label_smoothing) * np.eye(size)[y_true] + label_smoothing / size
    return -(labels * log_probabilities).sum(axis=-1)


@pytest.mark.parametrize("label_smoothing", [0.0, 0.1, 0.5])
def test_loss_is_the_mean_over_tokens_of_the_definition(label_smoothing):
    generator = np.random.default_rng(0)
    logits = generator.normal(size=(3, 5, 7)).astype("float32") * 3
    y_true = generator.integers(0, 7, size=(3, 5))
    kept = (np.arange(5) < np.array([[5], [2], [1]])).astype("float32")

    loss = SmoothedCrossEntropy(label_smoothing)(y_true, logits, sample_weight=kept)

    expected = smoothed_cross_entropy(y_true, logits, label_smoothing)
    np.testing.assert_allclose(float(loss), (expected * kept).sum() / kept.sum(), rtol=1e-5)


def test_padding_never_counts():
    generator = np.random.default_rng(1)
    logits = generator.normal(size=(2, 4, 6)).astype("float32")
    y_true = generator.integers(1, 6, size=(2, 4))
    kept = np.ones((2, 4), "float32")
    wider = np.pad(logits, ((0, 0), (0, 3), (0, 0)), constant_values=9)
    loss = SmoothedCrossEntropy(0.1)
    np.testing.assert_allclose(
        float(loss(y_true, logits, sample_weight=kept)),
        float(
            loss(
                np.pad(y_true, ((0, 0), (0, 3))),
                wider,
                sample_weight=np.pad(kept, ((0, 0), (0, 3))),
            )
        ),
        rtol=1e-6,
    )


def test_config_round_trip():
    loss = SmoothedCrossEntropy(0.2)
    copy = keras.losses.deserialize(keras.losses.serialize(loss))
    assert copy.label_smoothing == 0.2
    assert copy.reduction == loss.reduction


def test_wrong_smoothing_is_refused():
    with pytest.raises(ValueError, match="label_smoothing=1"):
        SmoothedCrossEntropy(1)
