"""Checkpoints: the complete state of a training run, from which it resumes exactly."""

import json
import math
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from itertools import chain
from pathlib import Path

import keras
import numpy as np

from keras_bahdanau.errors import InputError
from keras_bahdanau.files import remove_leftovers

from .array_file import DamagedFile, check_arrays, read_arrays, write_arrays

# States on disk: if the newest is damaged, the run resumes from the one before.
KEPT_STATES = 2


@dataclass
class Progress:
    """Progress of a training run.

    Attributes:
        epoch: the epoch that is next or under way, from 0.
        batch: number of its batches that are done.
        training_loss: mean loss of these batches, weighted by their rows.
        awaits_validation: whether the weights are to be validated before the next batch.
        best_bleu: best validation BLEU so far; -1 if there are no best weights.
        best_epoch: epochs done when it was reached, with a fraction inside an epoch; 0 before the
            first validation.
        best_step: optimizer steps done then.
        seconds: wall time of training and validation so far.
        history: one dict for each validation, with the figures of the training before it.
    """

    epoch: int = 0
    batch: int = 0
    training_loss: float = 0.0
    awaits_validation: bool = False
    best_bleu: float = -1.0
    best_epoch: float = 0
    best_step: int = 0
    seconds: float = 0.0
    history: list = field(default_factory=list)


class Checkpoints:
    """The files `state-<step>.npz` of a run, and its best weights in `best-<step>.npz`.

    The last two states are kept, each with the best weights at its time.

    Args:
        directory: where the files are.
        report: called with one line about each damaged file.
        is_writer: False if another process of the run writes; then nothing is saved.
    """

    def __init__(self, directory: Path, report: Callable[[str], None], is_writer: bool = True):
        self.directory = Path(directory)
        self.report = report
        self.is_writer = is_writer
        # Best weights by state, for the states that are known to be intact, the newest last.
        self._kept: dict[Path, Path] = {}

    @property
    def newest(self) -> str:
        """Part of an error message: the state that the run can resume from."""
        return f"{list(self._kept)[-1]} is kept" if self._kept else "there is no checkpoint yet"

    def save(self, model: keras.Model, progress: Progress):
        """Writes the state of a run, and removes the files that it replaces.

        Raises:
            FloatingPointError: a variable is infinite or NaN. Nothing is written.
            OSError: the disk is full, for example. The states before are left intact.
        """
        if not self.is_writer:
            return
        step = steps_done(model)
        path = self.directory / f"state-{step:08d}.npz"
        try:
            save_state(path, model, progress)
        except FloatingPointError as error:
            raise FloatingPointError(f"{error} before step {step + 1}. {self.newest}") from None
        self._kept.pop(path, None)
        self._kept[path] = self._best_path(progress)
        self._kept = dict(list(self._kept.items())[-KEPT_STATES:])
        for other in (*self._states(), *self.directory.glob("best-*.npz")):
            if other not in (*self._kept, *self._kept.values()):
                other.unlink()

    def load(self, model: keras.Model) -> Progress | None:
        """Restores the newest state that is intact, and whose best weights are.

        If no state has its best weights any more, the newest one is restored and validated next,
        so that there are best weights again.

        Returns:
            The progress of the run, or `None` if there is no state.

        Raises:
            InputError: all states are damaged, or they belong to another model.
        """
        remove_leftovers(self.directory)
        states = self._intact_states()
        if not states:
            return None
        path = next((path for path in states if self._has_best(states[path])), None)
        is_lost = path is None
        path = path or next(iter(states))
        progress = load_state(path, model)
        self._kept = {path: self._best_path(progress)}
        if is_lost:
            progress.best_bleu, progress.best_epoch = -1.0, progress.epoch
            # In the middle of an epoch, the next validation is soon enough.
            progress.awaits_validation = progress.batch == 0
        return progress

    def save_best(self, model: keras.Model, progress: Progress):
        """Writes the weights of the step `progress.best_step`.

        Raises:
            FloatingPointError: a weight is infinite or NaN. Nothing is written.
        """
        if self.is_writer:
            save_weights(self._best_path(progress), model)

    def load_best(self, model: keras.Model, progress: Progress):
        """Restores the weights of the step `progress.best_step`.

        Raises:
            DamagedFile: the file is not what was written.
        """
        load_weights(self._best_path(progress), model)

    def _intact_states(self):
        paths, intact = self._states(), {}
        for path in paths:
            try:
                intact[path] = read_progress(path)
            except DamagedFile as error:
                self.report(f"not used: {error}")
        if paths and not intact:
            raise InputError(
                f"Expected a whole checkpoint in {self.directory}. Received: "
                f"{', '.join(path.name for path in paths)}, all damaged"
            )
        return intact

    def _has_best(self, progress):
        if progress.best_bleu < 0:
            return True
        try:
            check_arrays(self._best_path(progress))
        except DamagedFile as error:
            self.report(f"not used: {error}")
            return False
        return True

    def _states(self):
        return sorted(self.directory.glob("state-*.npz"), reverse=True)

    def _best_path(self, progress):
        return self.directory / f"best-{progress.best_step:08d}.npz"


def steps_done(model: keras.Model) -> int:
    """Returns the number of optimizer steps of a compiled model."""
    # `int` does not take a variable that several devices share.
    return int(keras.ops.convert_to_numpy(model.optimizer.iterations))


def save_state(path: str | os.PathLike, model: keras.Model, progress: Progress):
    """Writes all variables of a compiled model (weights, random states, optimizer) atomically.

    Raises:
        FloatingPointError: a variable is infinite or NaN. Nothing is written.
    """
    note = np.frombuffer(json.dumps(asdict(progress)).encode(), dtype=np.uint8)
    _write(path, _state(model), [("progress", note)])


def read_progress(path: str | os.PathLike) -> Progress:
    """Reads the progress of a saved state.

    Raises:
        DamagedFile: the file is not what `save_state` wrote.
    """
    check_arrays(path)
    _, note = next(read_arrays(path))
    return Progress(**json.loads(note.tobytes()))


def load_state(path: str | os.PathLike, model: keras.Model) -> Progress:
    """Restores a saved state into a compiled model. Nothing in the file is run as code.

    Raises:
        DamagedFile: the file is not what `save_state` wrote.
        InputError: it belongs to another model.
    """
    progress = read_progress(path)
    _read(path, _state(model))
    return progress


def save_weights(path: str | os.PathLike, model: keras.Model):
    """Writes the weights of a model alone, atomically.

    Raises:
        FloatingPointError: a weight is infinite or NaN. Nothing is written.
    """
    _write(path, model.weights)


def load_weights(path: str | os.PathLike, model: keras.Model):
    """Restores saved weights into a model with the same variables.

    Raises:
        DamagedFile: the file is not what `save_weights` wrote.
        InputError: it belongs to another model.
    """
    check_arrays(path)
    _read(path, model.weights)


def _state(model):
    if not model.optimizer.built:
        model.optimizer.build(model.trainable_variables)
    # Without the running means of the epoch's metrics, which exist only after the first step.
    metrics = {id(variable) for variable in model.metrics_variables}
    variables = [variable for variable in model.variables if id(variable) not in metrics]
    return variables + model.optimizer.variables


def _write(path, variables, notes=()):
    sizes = [math.prod(each.shape) * np.dtype(each.dtype).itemsize for each in variables]
    write_arrays(path, chain(notes, _arrays(variables)), size=sum(sizes))


def _arrays(variables):
    for name, variable in _named(variables).items():
        array = keras.ops.convert_to_numpy(variable)
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise FloatingPointError(f"The variable {variable.path} became infinite or NaN")
        yield name, array


def _read(path, variables):
    missing = _named(variables)
    for name, array in read_arrays(path):
        if name == "progress":
            continue
        variable = missing.pop(name, None)
        if variable is None or tuple(variable.shape) != array.shape:
            missing[name] = variable
            break
        variable.assign(array)
    if missing:
        raise InputError(
            f"Expected a checkpoint of this model. Received: {path}, which holds other variables"
        )


def _named(variables):
    # By position, because Keras numbers the names of layers anew in every process.
    return {f"variable_{index:04d}": variable for index, variable in enumerate(variables)}
