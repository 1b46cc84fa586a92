"""The whole state of a training run in one file, from which a killed run goes on."""

import json
import os
import zipfile
from dataclasses import asdict, dataclass, field
from pathlib import Path

import keras
import numpy as np

from keras_bahdanau.errors import InputError
from keras_bahdanau.files import atomic_path


@dataclass
class Progress:
    """Where a run stands.

    Attributes:
        epoch: the epoch that comes next or is under way, from 0.
        batch: how many of its batches are done.
        best_bleu: the best validation BLEU so far.
        best_epoch: how many epochs were done when it was reached; 0 before the first validation.
        seconds: wall time of training and validation so far.
        history: one dict for each finished epoch.
    """

    epoch: int = 0
    batch: int = 0
    best_bleu: float = -1.0
    best_epoch: int = 0
    seconds: float = 0.0
    history: list = field(default_factory=list)


def save_state(path: str | os.PathLike, model: keras.Model, progress: Progress):
    """Writes all variables of a compiled model (weights, random states, optimizer) atomically."""
    arrays = {name: keras.ops.convert_to_numpy(value) for name, value in _variables(model).items()}
    arrays["progress"] = np.frombuffer(json.dumps(asdict(progress)).encode(), dtype=np.uint8)
    with atomic_path(path) as temporary, open(temporary, "wb") as file:
        np.savez(file, **arrays)


def load_state(path: str | os.PathLike, model: keras.Model) -> Progress:
    """Puts a saved state back into a compiled model. Nothing in the file is run as code.

    Raises:
        InputError: the file is damaged, or belongs to another model.
    """
    path = Path(path)
    variables = _variables(model)
    try:
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as arrays:
            shapes = {name: arrays[name].shape for name in arrays.files if name != "progress"}
            if shapes != {name: tuple(variable.shape) for name, variable in variables.items()}:
                raise ValueError("which holds other variables")
            for name, variable in variables.items():
                variable.assign(arrays[name])
            return Progress(**json.loads(arrays["progress"].tobytes()))
    except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile, EOFError) as error:
        raise InputError(
            f"Expected a checkpoint of this model. Received: {path}, {error}"
        ) from error


def _variables(model):
    if not model.optimizer.built:
        model.optimizer.build(model.trainable_variables)
    # The running means of the epoch's metrics come into being with the first step; they are no
    # state of the model.
    metrics = {id(variable) for variable in model.metrics_variables}
    variables = [variable for variable in model.variables if id(variable) not in metrics]
    variables += model.optimizer.variables
    # By position: Keras numbers the names of layers anew in every process.
    return {f"variable_{index:04d}": variable for index, variable in enumerate(variables)}
