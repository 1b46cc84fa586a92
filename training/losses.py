"""The loss: cross-entropy with label smoothing, averaged over real tokens."""

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="keras_bahdanau")
class SmoothedCrossEntropy(keras.losses.Loss):
    """Cross-entropy of token ids against logits with label smoothing.

    The label is 1 - label_smoothing on the true token plus label_smoothing spread evenly over the
    vocabulary (Szegedy et al. 2016, https://arxiv.org/abs/1512.00567, section 7). With sample
    weights of 1 on tokens and 0 on padding, the result is the mean over tokens, in nats.

    Args:
        label_smoothing: in [0, 1).

    Call arguments:
        y_true: integer tensor of shape `(batch_size, target_length)`.
        y_pred: logits of shape `(batch_size, target_length, vocabulary_size)`.
        sample_weight: tensor of shape `(batch_size, target_length)`.
    """

    def __init__(
        self,
        label_smoothing=0.0,
        reduction="mean_with_sample_weight",
        name="smoothed_cross_entropy",
        **kwargs,
    ):
        super().__init__(name=name, reduction=reduction, **kwargs)
        if not 0 <= label_smoothing < 1:
            raise ValueError(
                "Argument `label_smoothing` must be in the range [0, 1). "
                f"Received: label_smoothing={label_smoothing}"
            )
        self.label_smoothing = label_smoothing

    def call(self, y_true, y_pred):
        y_true = ops.cast(y_true, "int32")
        # The cross-entropy against the smoothed labels, written out: one pass for the normaliser,
        # one for the mean, and the true token's logit.
        true_logits = ops.take_along_axis(y_pred, ops.expand_dims(y_true, -1), axis=-1)[..., 0]
        loss = ops.logsumexp(y_pred, axis=-1) - (1 - self.label_smoothing) * true_logits
        if self.label_smoothing:
            loss = loss - self.label_smoothing * ops.mean(y_pred, axis=-1)
        return loss

    def get_config(self):
        return {**super().get_config(), "label_smoothing": self.label_smoothing}
