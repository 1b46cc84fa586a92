import keras
import numpy as np
import pytest

from keras_bahdanau.errors import InputError
from keras_bahdanau.models import TranslationModel
from keras_bahdanau.training.options import preset_options
from keras_bahdanau.training.train import compile_for_training
from keras_bahdanau.training.training_state import Progress, load_state, save_state

OPTIONS = preset_options(
    embedding_dim=6, encoder_units=5, decoder_units=7, attention_units=4, dropout=0.5, epochs=2
)


def new_model(seed, options=OPTIONS):
    keras.utils.set_random_seed(seed)
    model = TranslationModel(20, **options.model_arguments())
    compile_for_training(model, options, steps_per_epoch=4)
    return model


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


def test_a_state_of_another_model_is_refused(tmp_path):
    save_state(tmp_path / "state.npz", new_model(seed=1), Progress())
    other = new_model(seed=1, options=preset_options(cell="lstm", embedding_dim=6))
    with pytest.raises(InputError, match="Expected a checkpoint of this model. Received: .*npz"):
        load_state(tmp_path / "state.npz", other)


@pytest.mark.parametrize("kept", [0, 100, 5000])
def test_a_cut_off_file_is_refused(tmp_path, kept):
    path = tmp_path / "state.npz"
    model = new_model(seed=1)
    save_state(path, model, Progress())
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(InputError, match="Expected a checkpoint"):
        load_state(path, model)
