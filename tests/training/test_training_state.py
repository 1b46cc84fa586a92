import dataclasses

import keras
import numpy as np
import pytest

from keras_bahdanau.errors import InputError
from keras_bahdanau.models import TranslationModel
from keras_bahdanau.training.array_file import DamagedFile
from keras_bahdanau.training.checkpoints import (
    Progress,
    load_state,
    load_weights,
    read_progress,
    save_state,
    save_weights,
)
from keras_bahdanau.training.compilation import compile_for_training
from keras_bahdanau.training.options import preset_options

OPTIONS = preset_options(
    embedding_dim=6, encoder_units=5, decoder_units=7, attention_units=4, dropout=0.5, epochs=2
)


def new_model(seed, options=OPTIONS):
    keras.utils.set_random_seed(seed)
    model = TranslationModel(20, **options.model_arguments())
    return compile_for_training(model, options, steps_per_epoch=4)


def a_batch():
    generator = np.random.default_rng(0)
    ids = generator.integers(4, 20, size=(3, 2, 5)).astype("int32")
    return {"source_ids": ids[0], "target_in_ids": ids[1]}, ids[2], np.ones((2, 5), "float32")


def state_of(model):
    return [keras.ops.convert_to_numpy(v) for v in [*model.variables, *model.optimizer.variables]]


def test_a_restored_model_goes_on_as_the_saved_one(tmp_path):
    model = new_model(seed=1)
    for _ in range(2):
        model.train_on_batch(*a_batch())
    progress = Progress(epoch=1, batch=3, best_bleu=12.5, history=[{"epoch": 1}])
    save_state(tmp_path / "state.npz", model, progress)
    other = new_model(seed=2)

    assert load_state(tmp_path / "state.npz", other) == progress

    # The dropout masks and Adam's moments have to be the same, not the weights alone.
    for each in (model, other):
        each.train_on_batch(*a_batch())
    for first, second in zip(state_of(model), state_of(other), strict=True):
        np.testing.assert_array_equal(first, second)


def test_saved_weights_come_back_into_another_model(tmp_path):
    model, other = (TranslationModel(20, **OPTIONS.model_arguments()) for _ in range(2))
    save_weights(tmp_path / "best.npz", model)
    load_weights(tmp_path / "best.npz", other)
    for first, second in zip(model.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(first, second)


def test_a_state_of_another_model_is_refused(tmp_path):
    path = tmp_path / "state.npz"
    save_state(path, new_model(seed=1), Progress(epoch=3))
    assert read_progress(path).epoch == 3
    for changes in ({"embedding_dim": 8}, {"cell": "lstm"}, {"num_layers": 2}):
        other = new_model(seed=1, options=dataclasses.replace(OPTIONS, **changes))
        with pytest.raises(
            InputError, match="Expected a checkpoint of this model. Received: .*npz"
        ):
            load_state(path, other)
        with pytest.raises(
            InputError, match="Expected a checkpoint of this model. Received: .*npz"
        ):
            load_weights(path, other)


@pytest.mark.parametrize("load", [load_state, load_weights])
def test_a_damaged_file_changes_nothing(tmp_path, load):
    path = tmp_path / "state.npz"
    model, other = new_model(seed=1), new_model(seed=2)
    (save_state(path, model, Progress()) if load is load_state else save_weights(path, model))
    before = other.get_weights()
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(DamagedFile, match="state.npz, whose checksum is wrong"):
        load(path, other)
    for first, second in zip(before, other.get_weights(), strict=True):
        np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_is_not_finite_is_not_saved(tmp_path, value):
    path = tmp_path / "state.npz"
    model = new_model(seed=1)
    save_state(path, model, Progress())
    before = path.read_bytes()
    variable = model.trainable_variables[3]
    variable.assign(keras.ops.full(variable.shape, value))
    for save in (lambda: save_state(path, model, Progress()), lambda: save_weights(path, model)):
        with pytest.raises(FloatingPointError, match=f"{variable.path} became infinite or no"):
            save()
    assert [each.name for each in tmp_path.iterdir()] == ["state.npz"]
    assert path.read_bytes() == before
