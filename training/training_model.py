"""The model that is trained: a translation model whose output is its loss, without padding."""

import keras
from keras import ops

from keras_bahdanau.backend.loops import round_up

from .data.batches import dataset_of
from .losses import output_loss


class TrainingModel(keras.Model):
    """A `TranslationModel` for `fit`, which computes next to nothing for padding.

    It shares the layers of the translation model, which skip padding themselves. The features of
    the decoder at a target position (state, context, previous token) are gathered where there is a
    token to predict; readout, output layer and loss see these rows only, and the logits are never
    kept (see `output_loss`). JAX needs static shapes: there padding is computed too, with weight
    zero.

    Inputs, targets and sample weights are items of `Batches`; the loss is the mean over tokens, in
    nats.

    Args:
        translation_model: the `TranslationModel`.
        label_smoothing: see `output_loss`.
        **kwargs: `name`, `dtype` and others of `keras.Model`.
    """

    def __init__(self, translation_model, label_smoothing=0.0, **kwargs):
        super().__init__(**kwargs)
        self.translation_model = translation_model
        self.label_smoothing = label_smoothing

    def train_epoch(self, batches, callbacks):
        """Trains once on each item of `Batches`, with Keras callbacks."""
        self.fit(
            self.fit_input(batches),
            steps_per_epoch=len(batches),
            initial_epoch=batches.epoch,
            epochs=batches.epoch + 1,
            shuffle=False,
            verbose=0,
            callbacks=callbacks,
        )

    def fit_input(self, batches):
        """Returns the dataset that `fit` reads `Batches` from."""
        if keras.backend.backend() != "tensorflow":
            return batches
        return dataset_of(lambda: (batches[index] for index in range(len(batches))))

    def copy_weights_to(self, translation_model):
        """Copies the weights, or their moving averages if there are any, to another model."""
        weights = self.translation_model.trainable_variables
        if self.optimizer.use_ema:
            weights = self.optimizer.averages
        for weight, copy in zip(weights, translation_model.trainable_variables, strict=True):
            copy.assign(ops.convert_to_numpy(weight))

    def build(self, input_shape):
        self.built = True

    def call(self, inputs, training=None):
        """Returns the decoder's features, of shape `(batch_size, target_length, features)`."""
        encoder, decoder = self.translation_model.encoder, self.translation_model.decoder
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

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        decoder = self.translation_model.decoder
        # One sequence of all positions, because the readout takes a batch of sequences.
        features = ops.reshape(y_pred, (1, -1, decoder.features_model.output.shape[-1]))
        labels, weights = ops.reshape(y, (-1,)), ops.reshape(sample_weight, (-1,))
        if not needs_static_shapes():
            rows, weights = _real_rows(weights)
            features, labels = ops.take(features, rows, axis=1), ops.take(labels, rows, axis=0)
        output = decoder.output_layer
        is_embedding = isinstance(output, keras.layers.Embedding)
        readout = decoder.readout_model(features, training=training)
        loss = output_loss(
            ops.reshape(readout, (-1, readout.shape[-1])),
            output.embeddings if is_embedding else output.kernel,
            None if is_embedding else output.bias,
            labels,
            self.token_weights(weights),
            label_smoothing=self.label_smoothing,
            is_embedding=is_embedding,
        )
        return loss + sum(self.losses)

    def token_weights(self, weights):
        """Returns the factor of each token's loss in the sum, from the sample weights."""
        return weights / ops.sum(weights)


def needs_static_shapes() -> bool:
    """Whether the backend has to know all shapes before it runs: JAX."""
    return keras.backend.backend() == "jax"


def _real_rows(weights):
    """Indices of the rows with a weight, padded to a round number of rows, and their weights.

    TensorFlow on a processor generates code anew for every number of rows that it meets.
    """
    (rows,) = ops.nonzero(weights)
    count = ops.shape(rows)[0]
    rows = ops.pad(rows, ((0, round_up(count) - count),))
    is_real = ops.arange(ops.shape(rows)[0]) < count
    return rows, ops.take(weights, rows, axis=0) * ops.cast(is_real, weights.dtype)
