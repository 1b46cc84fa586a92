"""What happens while an epoch runs: the progress bar, checkpoints, a check of the loss."""

import math
import time
from pathlib import Path

import keras
from tqdm import tqdm

from keras_bahdanau.training.training_state import Progress, save_state


class TokenProgressBar(keras.callbacks.Callback):
    """A bar with the loss and the target tokens per second of the epoch.

    Args:
        batches: the epoch's `Batches`.
        description: shown before the bar.
        show: whether to draw it, where standard error is a terminal.
    """

    def __init__(self, batches, description: str, show: bool = True):
        super().__init__()
        self.batches = batches
        self.description = description
        self.show = show
        self.tokens = 0
        self.tokens_per_second = 0.0

    def on_train_begin(self, logs=None):
        self._started = time.monotonic()
        self._bar = tqdm(
            total=self.batches.start + len(self.batches),
            initial=self.batches.start,
            desc=self.description,
            unit="batch",
            # Where nobody watches, no bar is drawn; the lines of the epochs are enough.
            disable=None if self.show else True,
            dynamic_ncols=True,
            mininterval=0.5,
        )

    def on_train_batch_end(self, batch, logs=None):
        self.tokens += int(self.batches.tokens[batch])
        self.tokens_per_second = self.tokens / (time.monotonic() - self._started)
        self._bar.set_postfix_str(
            f"loss {logs['loss']:.3f}, {self.tokens_per_second:,.0f} tokens/s", refresh=False
        )
        self._bar.update()

    def on_train_end(self, logs=None):
        self._bar.close()


class StateSaver(keras.callbacks.Callback):
    """Writes the state of the run every so many steps.

    Args:
        path: the checkpoint file.
        progress: the run's `Progress`; its `batch` and `seconds` are kept up to date.
        batches: the epoch's `Batches`.
        every: steps between two writes.
    """

    def __init__(self, path: Path, progress: Progress, batches, every: int):
        super().__init__()
        self.path = path
        self.progress = progress
        self.batches = batches
        self.every = every

    def on_train_begin(self, logs=None):
        self._last = time.monotonic()

    def on_train_batch_end(self, batch, logs=None):
        now = time.monotonic()
        self.progress.seconds += now - self._last
        self._last = now
        self.progress.batch += 1
        # After the last batch the epoch is validated first, and then saved.
        is_last = batch + 1 == len(self.batches)
        if self.progress.batch % self.every == 0 and not is_last:
            save_state(self.path, self.model, self.progress)


class FiniteLoss(keras.callbacks.Callback):
    """Raises FloatingPointError at the first loss that is no finite number.

    Args:
        batches: the epoch's `Batches`.
    """

    def __init__(self, batches):
        super().__init__()
        self.batches = batches

    def on_train_batch_end(self, batch, logs=None):
        if not math.isfinite(logs["loss"]):
            raise FloatingPointError(
                f"The loss became {logs['loss']} at batch {self.batches.start + batch + 1} of epoch"
                f" {self.batches.epoch + 1}. The last checkpoint is kept; try a lower learning rate"
            )
