"""Compiles a model for training: optimizer, learning rate schedule, precision, distribution."""

import keras

from keras_bahdanau.models import TranslationModel

from .adam import Adam
from .distribution import Distribution
from .options import TrainingOptions
from .training_model import TrainingModel, shapes_are_known

_POLICIES = {"float32": "float32", "bfloat16": "mixed_bfloat16"}


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
                {**translation_model.get_config(), "skip_padding": not shapes_are_known()}
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
        # It is TensorFlow's alone.
        from .replicated_model import ReplicatedTrainingModel

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
