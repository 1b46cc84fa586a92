"""The translation model as it is trained: from a batch straight to its loss."""

import keras
from keras import ops

from keras_bahdanau.loops import round_number
from keras_bahdanau.models import TranslationModel
from keras_bahdanau.training.adam import Adam
from keras_bahdanau.training.distribution import Distribution
from keras_bahdanau.training.losses import output_loss
from keras_bahdanau.training.options import TrainingOptions

_POLICIES = {"float32": "float32", "bfloat16": "mixed_bfloat16"}


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
        from keras_bahdanau.training.tensorflow_input import dataset_of

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
        if not _shapes_are_known():
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


def _shapes_are_known():
    """Whether the backend has to know how many positions are real before it runs."""
    return keras.backend.backend() == "jax"


def _real_rows(weights):
    """Indices of the rows that count, and their weights; some of the others to make a round number.

    For every number of rows that it has not met, TensorFlow on a processor generates code anew.
    """
    (rows,) = ops.nonzero(weights)
    count = ops.shape(rows)[0]
    rows = ops.pad(rows, ((0, round_number(count) - count),))
    is_real = ops.arange(ops.shape(rows)[0]) < count
    return rows, ops.take(weights, rows, axis=0) * ops.cast(is_real, weights.dtype)


def compile_for_training(
    translation_model: TranslationModel,
    options: TrainingOptions,
    steps_per_epoch: int,
    distribution: Distribution | None = None,
) -> TrainingModel:
    """A compiled `TrainingModel` around a copy of a model, with Adam and its schedule.

    Args:
        translation_model: the model to copy. It has the weights to start from, and float32
            throughout, while the copy's products may be of half precision.
        options: the choices.
        steps_per_epoch: how many batches an epoch has.
        distribution: where it is trained; on one device unless given.
    """
    distribution = distribution or Distribution()
    outer_policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy(_POLICIES[options.precision])
    try:
        with distribution.scope():
            trained = TranslationModel.from_config(
                {**translation_model.get_config(), "skip_padding": not _shapes_are_known()}
            )
    finally:
        keras.config.set_dtype_policy(outer_policy)
    trained.set_weights(translation_model.get_weights())
    arguments = {
        "label_smoothing": options.label_smoothing,
        "r_drop": options.r_drop,
        "name": "training",
    }
    if distribution.strategy:
        from keras_bahdanau.training.replicated_model import ReplicatedTrainingModel

        model = ReplicatedTrainingModel(trained, distribution, **arguments)
    else:
        model = TrainingModel(trained, **arguments)
    with distribution.scope():
        model.compile(
            optimizer=Adam(
                _schedule(options, steps_per_epoch * options.epochs),
                global_clipnorm=options.clip_norm or None,
                use_ema=options.ema_momentum > 0,
                ema_momentum=options.ema_momentum,
            ),
            # XLA on TensorFlow would compile anew for every shape, and is slower on a processor.
            jit_compile=False if keras.backend.backend() == "tensorflow" else "auto",
        )
        # Its variables belong into the scope too.
        model.optimizer.build(model.trainable_variables)
    return model


def _schedule(options, steps):
    warmup_steps = min(options.warmup_steps, steps // 4)
    return keras.optimizers.schedules.CosineDecay(
        0.0 if warmup_steps else options.learning_rate,
        decay_steps=max(steps - warmup_steps, 1),
        alpha=options.final_learning_rate,
        warmup_target=options.learning_rate if warmup_steps else None,
        warmup_steps=warmup_steps,
    )
