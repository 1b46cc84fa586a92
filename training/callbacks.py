"""Callbacks of `fit`: progress bar, checkpoints, finite losses, stopping by a signal."""

import math
import signal
import threading
import time

import keras
import numpy as np
from tqdm import tqdm

from .checkpoints import Checkpoints, Progress, steps_done

# Of the line numbers of a batch that are named in an error.
SHOWN_LINES = 10


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
            total=len(self.batches.rows),
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
    """Writes the state of the run every so many steps, and when the run is asked to stop.

    Args:
        checkpoints: the run's `Checkpoints`.
        progress: the run's `Progress`, which is kept up to date.
        batches: the epoch's `Batches`.
        every: steps between two writes.
        stop: `StopRequest`.
    """

    def __init__(self, checkpoints: Checkpoints, progress: Progress, batches, every: int, stop):
        super().__init__()
        self.checkpoints = checkpoints
        self.progress = progress
        self.batches = batches
        self.every = every
        self.stop = stop
        self._earlier_loss = progress.training_loss
        self._rows_done = np.cumsum([0, *batches.rows])

    def on_train_begin(self, logs=None):
        self._last = time.monotonic()

    def on_train_batch_end(self, batch, logs=None):
        now = time.monotonic()
        progress = self.progress
        progress.seconds += now - self._last
        self._last = now
        progress.batch = self.batches.start + batch + 1
        # `fit` knows the mean loss of the rows of its own batches, not of those before an
        # interruption.
        share = self._rows_done[self.batches.start] / self._rows_done[progress.batch]
        progress.training_loss = float(share * self._earlier_loss + (1 - share) * logs["loss"])
        # After the last batch it is saved that the weights are to be validated.
        is_last = batch + 1 == len(self.batches)
        if not is_last and (self.stop.is_made or progress.batch % self.every == 0):
            self.checkpoints.save(self.model, progress)
            self.stop.answer(steps_done(self.model))


class FiniteLoss(keras.callbacks.Callback):
    """Raises FloatingPointError at the first loss that is no finite number.

    Args:
        batches: the epoch's `Batches`.
        checkpoints: the run's `Checkpoints`.
    """

    def __init__(self, batches, checkpoints: Checkpoints):
        super().__init__()
        self.batches = batches
        self.checkpoints = checkpoints

    def on_train_batch_end(self, batch, logs=None):
        if math.isfinite(logs["loss"]):
            return
        lines = np.sort(self.batches.line_numbers(batch))
        shown = ", ".join(map(str, lines[:SHOWN_LINES]))
        more = f" and {len(lines) - SHOWN_LINES} more" if len(lines) > SHOWN_LINES else ""
        raise FloatingPointError(
            f"The loss became {logs['loss']} at step {steps_done(self.model)} (epoch "
            f"{self.batches.epoch + 1}, batch {self.batches.start + batch + 1}), with {len(lines)} "
            f"training pairs of lines {shown}{more}. {self.checkpoints.newest}; "
            "try a lower learning rate in another directory"
        )


SIGNALS = (signal.SIGINT, signal.SIGTERM)


class StopRequest:
    """A context in which the first SIGINT or SIGTERM only leaves a note.

    The second one does what it did before: it ends the process at once. Signals that the process
    ignores stay ignored, and outside the main thread, where Python handles none, nothing changes.
    """

    def __init__(self):
        self._received = None
        self._handlers = {}

    def __enter__(self):
        if threading.current_thread() is threading.main_thread():
            for number in SIGNALS:
                if signal.getsignal(number) is not signal.SIG_IGN:
                    self._handlers[number] = signal.signal(number, self._note)
        return self

    def __exit__(self, *error):
        self._restore()

    @property
    def is_made(self) -> bool:
        """Whether a signal came."""
        return self._received is not None

    def answer(self, step: int):
        """Raises KeyboardInterrupt if a signal came; it says how to go on after `step` steps."""
        if self.is_made:
            raise KeyboardInterrupt(
                f"stopped by {self._received.name} after step {step}, which is saved: run the same "
                "command again to go on"
            )

    def _note(self, number, frame):
        self._received = signal.Signals(number)
        self._restore()

    def _restore(self):
        while self._handlers:
            signal.signal(*self._handlers.popitem())
