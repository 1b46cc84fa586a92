"""The whole state of a training run in one file, from which a killed run goes on."""

import json
import math
import os
from dataclasses import asdict, dataclass, field
from itertools import chain

import keras
import numpy as np

from keras_bahdanau.errors import InputError
from keras_bahdanau.training.array_file import check_arrays, read_arrays, write_arrays


@dataclass
class Progress:
    """Where a run stands.

    Attributes:
        epoch: the epoch that comes next or is under way, from 0.
        batch: how many of its batches are done.
        training_loss: the mean loss of these batches, in which each counts by its rows.
        awaits_validation: whether the weights are to be validated before the next batch.
        best_bleu: the best validation BLEU so far; -1 where there are no best weights.
        best_epoch: how many epochs were done when it was reached, with a fraction where that was
            inside of one; 0 before the first validation.
        best_step: how many steps were done then.
        seconds: wall time of training and validation so far.
        history: one dict for each validation, with what was trained before it.
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


def steps_done(model: keras.Model) -> int:
    """How many steps the optimizer of a compiled model has made."""
    # One that several devices share is no number for Python.
    return int(keras.ops.convert_to_numpy(model.optimizer.iterations))


def save_state(path: str | os.PathLike, model: keras.Model, progress: Progress):
    """Writes all variables of a compiled model (weights, random states, optimizer) atomically.

    Raises:
        FloatingPointError: a variable is infinite or no number. Nothing is written.
    """
    note = np.frombuffer(json.dumps(asdict(progress)).encode(), dtype=np.uint8)
    _write(path, _state(model), [("progress", note)])


def read_progress(path: str | os.PathLike) -> Progress:
    """Reads where the run of a saved state stood.

    Raises:
        DamagedFile: the file is not what `save_state` wrote.
    """
    check_arrays(path)
    _, note = next(read_arrays(path))
    return Progress(**json.loads(note.tobytes()))


def load_state(path: str | os.PathLike, model: keras.Model) -> Progress:
    """Puts a saved state back into a compiled model. Nothing in the file is run as code.

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
        FloatingPointError: a weight is infinite or no number. Nothing is written.
    """
    _write(path, model.weights)


def load_weights(path: str | os.PathLike, model: keras.Model):
    """Puts saved weights back into a model of the same kind.

    Raises:
        DamagedFile: the file is not what `save_weights` wrote.
        InputError: it belongs to another model.
    """
    check_arrays(path)
    _read(path, model.weights)


def _state(model):
    if not model.optimizer.built:
        model.optimizer.build(model.trainable_variables)
    # The running means of the epoch's metrics come into being with the first step; they are no
    # state of the model.
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
            raise FloatingPointError(f"The variable {variable.path} became infinite or no number")
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
    # By position: Keras numbers the names of layers anew in every process.
    return {f"variable_{index:04d}": variable for index, variable in enumerate(variables)}
