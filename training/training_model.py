"""The translation model as it is trained: from a batch straight to its loss."""

import keras
from keras import ops

from keras_bahdanau.backend.loops import round_up

from .losses import output_loss


class TrainingModel(keras.Model):
    """A `TranslationModel` whose `fit` does nothing for padding.

    It shares the layers of the translation model, which skip padding themselves. What the decoder
    knows at a target position (state, context, previous token) is gathered where there is a token
    to predict; readout, output layer and loss see these rows alone, and the logits are never held
    (see `output_loss`). On JAX, whose shapes have to be known, padding is computed too, with
    weight zero.

    With `r_drop`, every sentence goes through the model twice, under two dropout masks.

    Args:
        translation_model: the `TranslationModel`.
        label_smoothing, r_drop: see `output_loss`.

    Inputs, targets and sample weights are items of `Batches`; the loss is the mean over tokens, in
    nats.
    """

    def __init__(self, translation_model, label_smoothing=0.0, r_drop=0.0, **kwargs):
        super().__init__(**kwargs)
        self.translation_model = translation_model
        self.label_smoothing = label_smoothing
        self.r_drop = r_drop

    def copy_weights_to(self, translation_model):
        """Gives another model of the same kind its weights, or their averages where there are."""
        weights = self.translation_model.trainable_variables
        if self.optimizer.use_ema:
            weights = self.optimizer.averages
        for weight, copy in zip(weights, translation_model.trainable_variables, strict=True):
            copy.assign(ops.convert_to_numpy(weight))

    def train_epoch(self, batches, callbacks):
        """Trains on the items of `Batches`, once, with Keras's callbacks."""
        self.fit(
            self.input_of(batches),
            steps_per_epoch=len(batches),
            initial_epoch=batches.epoch,
            epochs=batches.epoch + 1,
            shuffle=False,
            verbose=0,
            callbacks=callbacks,
        )

    def input_of(self, batches):
        """What `fit` is given of `Batches`."""
        if keras.backend.backend() != "tensorflow":
            return batches
        from .data.batches import dataset_of

        return dataset_of(lambda: (batches[index] for index in range(len(batches))))

    def build(self, input_shape):
        self.built = True

    def call(self, inputs, training=None):
        """What the decoder knows, of shape `(copies * batch_size, target_length, features)`."""
        encoder, decoder = self.translation_model.encoder, self.translation_model.decoder
        if self.r_drop:
            inputs = {name: ops.concatenate([ids, ids]) for name, ids in inputs.items()}
        encoded = encoder(inputs["source_ids"], training=training)
        start = decoder.start(encoded["memory"], encoded["encoder_state"])
        return decoder.features_model(
            {
                "target_in_ids": inputs["target_in_ids"],
                "memory": encoded["memory"],
                "memory_mask": encoded["memory_mask"],
                "target_mask": ops.not_equal(inputs["target_in_ids"], encoder.pad_id),
                **start,
            },
            training=training,
        )

    def token_weights(self, weights):
        """The factor of each token's loss in the sum, from the sample weights."""
        return weights / ops.sum(weights)

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        decoder = self.translation_model.decoder
        copies, dim = 2 if self.r_drop else 1, decoder.features_model.output.shape[-1]
        features = ops.reshape(y_pred, (copies, -1, dim))
        labels, weights = ops.reshape(y, (-1,)), ops.reshape(sample_weight, (-1,))
        if not shapes_are_known():
            rows, weights = _real_rows(weights)
            features, labels = ops.take(features, rows, axis=1), ops.take(labels, rows, axis=0)
        output = decoder.output_layer
        is_embedding = isinstance(output, keras.layers.Embedding)
        loss = output_loss(
            decoder.readout_model(features, training=training),
            output.embeddings if is_embedding else output.kernel,
            None if is_embedding else output.bias,
            labels,
            self.token_weights(weights),
            label_smoothing=self.label_smoothing,
            r_drop=self.r_drop,
            is_embedding=is_embedding,
        )
        return loss + sum(self.losses)


def shapes_are_known():
    """Whether the backend has to know how many positions are real before it runs."""
    return keras.backend.backend() == "jax"


def _real_rows(weights):
    """Indices of the rows that count, and their weights; some of the others to make a round number.

    For every number of rows that it has not met, TensorFlow on a processor generates code anew.
    """
    (rows,) = ops.nonzero(weights)
    count = ops.shape(rows)[0]
    rows = ops.pad(rows, ((0, round_up(count) - count),))
    is_real = ops.arange(ops.shape(rows)[0]) < count
    return rows, ops.take(weights, rows, axis=0) * ops.cast(is_real, weights.dtype)
