import keras
import numpy as np
import pytest
from keras import ops
from on_backend import cases, long_on

from keras_bahdanau.models import TranslationModel
from keras_bahdanau.training.compilation import compile_for_training
from keras_bahdanau.training.presets import preset_options
from keras_bahdanau.training.training_model import TrainingModel

VOCABULARY_SIZE = 23
OPTIONS = preset_options(
    embedding_dim=6, encoder_units=5, decoder_units=7, attention_units=4, dropout=0.0, epochs=3
)
TYING = [
    {"tie_embeddings": "none", "readout_units": 9},
    {"tie_embeddings": "target"},
    {"tie_embeddings": "all"},
]


def options(**changes):
    return preset_options(**{**vars(OPTIONS), **changes})


def new_model(options, seed=1):
    keras.utils.set_random_seed(seed)
    return TranslationModel(VOCABULARY_SIZE, **options.model_arguments())


def a_batch(padding=0):
    generator = np.random.default_rng(0)
    source_ids, target_in_ids, target_out_ids = generator.integers(4, VOCABULARY_SIZE, (3, 4, 6))
    kept = np.arange(6) < np.array([[6], [4], [1], [5]])
    arrays = [np.where(kept, ids, 0) for ids in (source_ids, target_in_ids, target_out_ids)]
    arrays = [np.pad(ids, ((0, 0), (0, padding))).astype("int32") for ids in arrays]
    weights = np.pad(kept, ((0, 0), (0, padding))).astype("float32")
    return {"source_ids": arrays[0], "target_in_ids": arrays[1]}, arrays[2], weights


def loss_of(model, batch):
    inputs, targets, weights = (
        keras.tree.map_structure(ops.convert_to_tensor, part) for part in batch
    )
    features = model(inputs, training=True)
    loss = model.compute_loss(inputs, targets, features, weights)
    return float(ops.convert_to_numpy(loss))


@pytest.mark.parametrize("changes", TYING)
@pytest.mark.parametrize("label_smoothing", [0.0, 0.2])
def test_the_loss_is_the_mean_over_tokens_of_the_translation_model(changes, label_smoothing):
    translation_model = new_model(options(**changes))
    inputs, targets, weights = a_batch()
    logits = ops.convert_to_numpy(translation_model(inputs)).astype("float64")
    log_p = logits - np.log(np.exp(logits).sum(axis=-1, keepdims=True))
    target = (1 - label_smoothing) * np.eye(VOCABULARY_SIZE)[targets]
    target += label_smoothing / VOCABULARY_SIZE
    expected = -((target * log_p).sum(axis=-1) * weights).sum() / weights.sum()

    loss = loss_of(TrainingModel(translation_model, label_smoothing), a_batch())

    np.testing.assert_allclose(loss, expected, rtol=1e-5)


def test_padding_never_counts():
    model = TrainingModel(new_model(OPTIONS))
    np.testing.assert_allclose(
        loss_of(model, a_batch()), loss_of(model, a_batch(padding=3)), rtol=1e-6
    )


@pytest.mark.parametrize("changes", cases(TYING))
def test_a_step_is_that_of_plain_training(changes):
    translation_model = new_model(options(**changes))
    plain = TranslationModel.from_config(translation_model.get_config())
    plain.set_weights(translation_model.get_weights())
    model = TrainingModel(translation_model)
    model.compile(optimizer=keras.optimizers.SGD(1.0))
    plain.compile(
        optimizer=keras.optimizers.SGD(1.0),
        loss=keras.losses.SparseCategoricalCrossentropy(
            from_logits=True, reduction="mean_with_sample_weight"
        ),
    )
    for each in (model, plain):
        each.train_on_batch(*a_batch())
    for ours, theirs in zip(translation_model.get_weights(), plain.get_weights(), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-5)


def test_only_the_copy_is_trained():
    translation_model = new_model(OPTIONS)
    before = translation_model.get_weights()
    model = compile_for_training(translation_model, OPTIONS, steps_per_epoch=5)
    for weight, expected in zip(model.translation_model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(weight, expected)
    model.train_on_batch(*a_batch())
    for weight, expected in zip(translation_model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(weight, expected)
    model.copy_weights_to(translation_model)
    for weight, expected in zip(
        translation_model.get_weights(), model.translation_model.get_weights(), strict=True
    ):
        np.testing.assert_array_equal(weight, expected)


def test_what_is_evaluated_are_the_averages():
    chosen = options(ema_momentum=0.1, learning_rate=0.1)
    translation_model = new_model(chosen)
    model = compile_for_training(translation_model, chosen, steps_per_epoch=5)
    averages = None
    for step in range(4):
        model.train_on_batch(*a_batch())
        weights = model.translation_model.get_weights()
        averages = averages or weights
        momentum = min(0.1, step / (step + 10))
        pairs = zip(averages, weights, strict=True)
        averages = [momentum * average + (1 - momentum) * weight for average, weight in pairs]
    model.copy_weights_to(translation_model)
    for weight, expected in zip(translation_model.get_weights(), averages, strict=True):
        np.testing.assert_allclose(weight, expected, atol=1e-6)


@pytest.mark.slow
@long_on(["torch"])
def test_half_precision_trains_what_full_precision_trains():
    losses = []
    for precision in ("float32", "bfloat16"):
        chosen = options(precision=precision, learning_rate=0.05, warmup_steps=0, epochs=4)
        model = compile_for_training(new_model(chosen), chosen, steps_per_epoch=10)
        losses.append([float(model.train_on_batch(*a_batch())) for _ in range(40)])
        dtypes = {variable.dtype for variable in model.trainable_variables}
        assert dtypes == {"float32"}
    assert losses[0][-1] < losses[0][0] - 0.5
    np.testing.assert_allclose(losses[1][:10], losses[0][:10], rtol=0.03)
    np.testing.assert_allclose(losses[1], losses[0], atol=0.2)
    assert keras.config.dtype_policy().name == "float32"
