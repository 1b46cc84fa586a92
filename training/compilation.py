"""Compiles a model for training: optimizer, learning rate schedule, precision, distribution."""

import keras

from keras_bahdanau.models import TranslationModel

from .adam import Adam
from .distribution import Distribution
from .options import TrainingOptions
from .training_model import TrainingModel, needs_static_shapes

_POLICIES = {"float32": "float32", "bfloat16": "mixed_bfloat16"}


def compile_for_training(
    translation_model: TranslationModel,
    options: TrainingOptions,
    steps_per_epoch: int,
    distribution: Distribution | None = None,
) -> TrainingModel:
    """Returns a compiled `TrainingModel` around a copy of a model, with Adam and its schedule.

    Args:
        translation_model: the model to copy, with its initial weights. It stays in float32, while
            matrix products of the copy may be computed in half precision.
        options: the hyper-parameters.
        steps_per_epoch: batches in an epoch.
        distribution: the devices to train on; defaults to one device.
    """
    distribution = distribution or Distribution()
    outer_policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy(_POLICIES[options.precision])
    try:
        with distribution.scope():
            copy = TranslationModel.from_config(
                {**translation_model.get_config(), "skip_padding": not needs_static_shapes()}
            )
    finally:
        keras.config.set_dtype_policy(outer_policy)
    copy.set_weights(translation_model.get_weights())
    arguments = {"label_smoothing": options.label_smoothing, "name": "training"}
    if distribution.strategy:
        # Imports TensorFlow.
        from .replicated_model import ReplicatedTrainingModel

        model = ReplicatedTrainingModel(copy, distribution, **arguments)
    else:
        model = TrainingModel(copy, **arguments)
    with distribution.scope():
        model.compile(
            optimizer=Adam(
                _schedule(options, steps_per_epoch * options.epochs),
                global_clipnorm=options.clip_norm or None,
                use_ema=options.ema_momentum > 0,
                ema_momentum=options.ema_momentum,
            ),
            # On TensorFlow, XLA would compile anew for every shape, and is slower on a processor.
            jit_compile=False if keras.backend.backend() == "tensorflow" else "auto",
        )
        # The optimizer's variables belong in the scope too.
        model.optimizer.build(model.trainable_variables)
    return model


def _schedule(options, steps):
    """Linear warmup, then cosine decay."""
    warmup_steps = min(options.warmup_steps, steps // 4)
    return keras.optimizers.schedules.CosineDecay(
        0.0 if warmup_steps else options.learning_rate,
        decay_steps=max(steps - warmup_steps, 1),
        alpha=options.final_learning_rate,
        warmup_target=options.learning_rate if warmup_steps else None,
        warmup_steps=warmup_steps,
    )
