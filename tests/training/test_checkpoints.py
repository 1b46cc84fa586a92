import dataclasses

import keras
import numpy as np
import pytest

from keras_bahdanau.errors import InputError
from keras_bahdanau.models import TranslationModel
from keras_bahdanau.training.array_file import DamagedFile
from keras_bahdanau.training.checkpoints import (
    Checkpoints,
    Progress,
    load_state,
    load_weights,
    read_progress,
    save_state,
    save_weights,
)
from keras_bahdanau.training.compilation import compile_for_training
from keras_bahdanau.training.presets import preset_options


class Run:
    """A model of one weight that counts its steps, with its checkpoints."""

    def __init__(self, directory):
        self.model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, use_bias=False)])
        self.model.compile("sgd", "mse")
        self.model.optimizer.build(self.model.trainable_variables)
        self.lines = []
        self.directory = directory
        self.checkpoints = Checkpoints(directory, self.lines.append)
        self.progress = self.checkpoints.load(self.model) or Progress()

    @property
    def weight(self):
        return self.model.get_weights()[0].item()

    def step(self, weight):
        """Makes `weight` the weight of the next step, and saves it."""
        self.model.optimizer.iterations.assign_add(1)
        self.model.set_weights([np.full((1, 1), weight, "float32")])
        self.progress.batch += 1
        self.checkpoints.save(self.model, self.progress)

    def end_epoch(self, bleu):
        """Saves the weight as the best one."""
        self.progress.epoch, self.progress.batch = self.progress.epoch + 1, 0
        self.progress.best_bleu, self.progress.best_epoch = bleu, self.progress.epoch
        self.progress.best_step = int(self.model.optimizer.iterations)
        self.checkpoints.save_best(self.model, self.progress)
        self.checkpoints.save(self.model, self.progress)

    def best(self):
        self.checkpoints.load_best(self.model, self.progress)
        return self.weight

    def names(self):
        return sorted(path.name for path in self.directory.iterdir())


def cut(path):
    path.write_bytes(path.read_bytes()[:-1])


def test_a_new_directory_has_no_state(tmp_path):
    run = Run(tmp_path / "checkpoints")
    assert run.progress == Progress()
    assert run.lines == []
    assert run.checkpoints.newest == "there is no checkpoint yet"


def test_who_is_no_writer_loads_and_saves_nothing(tmp_path):
    run = Run(tmp_path)
    run.step(1.0)
    reader = Checkpoints(tmp_path, run.lines.append, is_writer=False)
    progress = reader.load(run.model)
    assert progress == run.progress
    run.model.optimizer.iterations.assign_add(1)
    reader.save(run.model, progress)
    reader.save_best(run.model, progress)
    assert run.names() == ["state-00000001.npz"]


def test_the_last_two_states_are_kept_and_the_newest_is_loaded(tmp_path):
    run = Run(tmp_path)
    for weight in (1, 2, 3):
        run.step(weight)
    assert run.names() == ["state-00000002.npz", "state-00000003.npz"]
    assert run.checkpoints.newest == f"{tmp_path / 'state-00000003.npz'} is kept"
    later = Run(tmp_path)
    assert (later.weight, later.progress.batch, later.lines) == (3, 3, [])


def test_a_damaged_state_is_reported_and_the_one_before_is_used(tmp_path):
    run = Run(tmp_path)
    for weight in (1, 2, 3):
        run.step(weight)
    cut(tmp_path / "state-00000003.npz")
    later = Run(tmp_path)
    assert (later.weight, later.progress.batch) == (2, 2)
    (line,) = later.lines
    assert "state-00000003.npz, whose checksum is wrong" in line
    # What is damaged does not push out what is whole.
    later.step(4)
    later.step(5)
    assert later.names() == ["state-00000003.npz", "state-00000004.npz"]
    assert (Run(tmp_path).weight, Run(tmp_path).lines) == (5, [])


def test_a_damaged_state_does_not_count_as_one_of_the_two(tmp_path):
    run = Run(tmp_path)
    for weight in (1, 2, 3):
        run.step(weight)
    cut(tmp_path / "state-00000003.npz")
    later = Run(tmp_path)
    later.model.optimizer.iterations.assign(7)
    later.step(8)
    assert later.names() == ["state-00000002.npz", "state-00000008.npz"]


def test_where_all_states_are_damaged_nothing_is_begun_anew(tmp_path):
    run = Run(tmp_path)
    for weight in (1, 2):
        run.step(weight)
    for path in tmp_path.iterdir():
        path.write_bytes(b"")
    expected = "Expected a whole checkpoint in .*: state-00000002.npz, state-00000001.npz, all dam"
    with pytest.raises(InputError, match=expected):
        Run(tmp_path)


def test_the_best_weights_of_both_states_are_kept(tmp_path):
    run = Run(tmp_path)
    for weight in (1, 2, 3):
        run.step(weight)
        run.end_epoch(bleu=weight)
    states = ["state-00000002.npz", "state-00000003.npz"]
    assert run.names() == ["best-00000002.npz", "best-00000003.npz", *states]
    # The state before has the best weights of its time.
    cut(tmp_path / "state-00000003.npz")
    later = Run(tmp_path)
    assert (later.progress.best_bleu, later.best()) == (2, 2)


def test_without_its_best_weights_a_state_is_passed_over(tmp_path):
    run = Run(tmp_path)
    for weight in (1, 2):
        run.step(weight)
        run.end_epoch(bleu=weight)
    cut(tmp_path / "best-00000002.npz")
    later = Run(tmp_path)
    (line,) = later.lines
    assert "best-00000002.npz, whose checksum is wrong" in line
    assert (later.weight, later.progress.epoch, later.best()) == (1, 1, 1)


@pytest.mark.parametrize("is_midway", [False, True])
def test_where_no_best_weights_are_left_the_newest_state_is_validated_next(tmp_path, is_midway):
    run = Run(tmp_path)
    run.step(1)
    run.end_epoch(bleu=30.0)
    run.step(2)
    run.progress.epoch, run.progress.batch = (1, 1) if is_midway else (2, 0)
    run.checkpoints.save(run.model, run.progress)
    (tmp_path / "best-00000001.npz").unlink()
    later = Run(tmp_path)
    assert all(
        "best-00000001.npz, which cannot be read: No such file" in line for line in later.lines
    )
    assert later.weight == 2
    # Any BLEU is better than this one, and patience counts from here.
    assert later.progress.best_bleu == -1
    assert later.progress.best_epoch == later.progress.epoch
    assert later.progress.awaits_validation != is_midway


def test_what_a_killed_write_left_is_removed(tmp_path):
    run = Run(tmp_path)
    run.step(1)
    leftover = tmp_path / ".state-00000002.npz.abcd_123"
    leftover.mkdir()
    (leftover / "state-00000002.npz").write_bytes(b"half")
    assert Run(tmp_path).names() == ["state-00000001.npz"]


def test_a_state_that_is_not_finite_is_not_written(tmp_path):
    run = Run(tmp_path)
    run.step(1)
    expected = "infinite or NaN before step 3. .*state-00000001.npz is kept"
    with pytest.raises(FloatingPointError, match=expected):
        run.step(np.nan)
    assert run.names() == ["state-00000001.npz"]
    assert Run(tmp_path).weight == 1


def test_a_state_of_another_model_is_no_damage(tmp_path):
    run = Run(tmp_path)
    run.step(1)
    other = keras.Sequential([keras.Input((1,)), keras.layers.Dense(2)])
    other.compile("sgd", "mse")
    with pytest.raises(InputError, match="Expected a checkpoint of this model"):
        Checkpoints(tmp_path, run.lines.append).load(other)
    assert run.names() == ["state-00000001.npz"]


OPTIONS = preset_options(
    embedding_dim=6,
    encoder_units=5,
    decoder_units=7,
    attention_units=4,
    order="before",
    dropout=0.5,
    epochs=2,
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
        with pytest.raises(FloatingPointError, match=f"{variable.path} became infinite or NaN"):
            save()
    assert [each.name for each in tmp_path.iterdir()] == ["state.npz"]
    assert path.read_bytes() == before
