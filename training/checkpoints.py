"""The last checkpoints of a run: the newest whole one counts, and a damaged one is reported."""

from collections.abc import Callable
from pathlib import Path

import keras

from keras_bahdanau.errors import InputError
from keras_bahdanau.files import remove_leftovers
from keras_bahdanau.training.array_file import DamagedFile, check_arrays
from keras_bahdanau.training.training_state import (
    Progress,
    load_state,
    load_weights,
    read_progress,
    save_state,
    save_weights,
    steps_done,
)

KEPT_STATES = 2


class Checkpoints:
    """The states `state-<steps>.npz` of a run, and its best weights `best-<steps>.npz`.

    The last two states are kept, each with the weights that were the best ones at its time.

    Args:
        directory: where they stand.
        report: called with one line about each file that is damaged.
        is_writer: False where another process writes them: then nothing is saved.
    """

    def __init__(self, directory: Path, report: Callable[[str], None], is_writer: bool = True):
        self.directory = Path(directory)
        self.report = report
        self.is_writer = is_writer
        # The best weights of each state that is known to be whole, the newest state last.
        self._kept: dict[Path, Path] = {}

    @property
    def newest(self) -> str:
        """Half a sentence that says from where the run can go on."""
        return f"{list(self._kept)[-1]} is kept" if self._kept else "there is no checkpoint yet"

    def save(self, model: keras.Model, progress: Progress):
        """Writes the state of a run, and removes those that are no longer needed.

        Raises:
            FloatingPointError: a variable is infinite or no number. Nothing is written.
            OSError: the disk is full, for example. The states before stay as they are.
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
        """Puts the newest state that is whole, with its best weights, back into a model.

        Where no state has its best weights any more, the newest one is taken and validated next,
        so that there are best weights again.

        Returns:
            The progress of the run, or `None` where there is no state.

        Raises:
            InputError: all states are damaged, or they belong to another model.
        """
        remove_leftovers(self.directory)
        states = self._whole_states()
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
            FloatingPointError: a weight is infinite or no number. Nothing is written.
        """
        if self.is_writer:
            save_weights(self._best_path(progress), model)

    def load_best(self, model: keras.Model, progress: Progress):
        """Puts the weights of the step `progress.best_step` into a model.

        Raises:
            DamagedFile: the file is not what was written.
        """
        load_weights(self._best_path(progress), model)

    def _whole_states(self):
        paths, whole = self._states(), {}
        for path in paths:
            try:
                whole[path] = read_progress(path)
            except DamagedFile as error:
                self.report(f"not used: {error}")
        if paths and not whole:
            raise InputError(
                f"Expected a whole checkpoint in {self.directory}. Received: "
                f"{', '.join(path.name for path in paths)}, all damaged"
            )
        return whole

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
