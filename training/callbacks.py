"""Observers of a run: Keras callbacks, stop by a signal, TensorBoard log."""

import io
import math
import os
import signal
import socket
import threading
import time
from pathlib import Path

import keras
import numpy as np
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.plugins.scalar.summary_v2 import scalar_pb
from tensorboard.summary.writer.record_writer import RecordWriter
from tqdm import tqdm

from keras_bahdanau.files import naming_full_disk

from .checkpoints import Checkpoints, Progress, steps_done

# Line numbers of a batch that an error shows.
SHOWN_LINES = 10
SIGNALS = (signal.SIGINT, signal.SIGTERM)


class TokenProgressBar(keras.callbacks.Callback):
    """Progress bar with the loss and the target tokens per second of the epoch.

    Args:
        batches: the epoch's `Batches`.
        description: text before the bar.
        show: whether to draw it, if standard error is a terminal.

    Attributes:
        tokens_per_second: target tokens per second of wall time, in this process.
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
            # `None`: no bar unless standard error is a terminal.
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
    """Saves the state of the run at regular steps, and before the run stops on request.

    Args:
        checkpoints: the run's `Checkpoints`.
        progress: the run's `Progress`, which is updated.
        batches: the epoch's `Batches`.
        every: steps between two checkpoints.
        stop: the run's `StopRequest`.
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
        # The loss in `logs` is the mean over the rows of this call of `fit`, without those before
        # an interruption.
        share = self._rows_done[self.batches.start] / self._rows_done[progress.batch]
        progress.training_loss = float(share * self._earlier_loss + (1 - share) * logs["loss"])
        # After the last batch, `train_epoch` saves a state that awaits validation.
        is_last = batch + 1 == len(self.batches)
        if not is_last and (self.stop.is_made or progress.batch % self.every == 0):
            self.checkpoints.save(self.model, progress)
            self.stop.answer(steps_done(self.model))


class FiniteLoss(keras.callbacks.Callback):
    """Raises FloatingPointError at the first loss that is infinite or NaN.

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


class StopRequest:
    """Context manager that turns the first SIGINT or SIGTERM into a request to stop.

    The second signal has its usual effect: it ends the process at once. Signals that the process
    ignores stay ignored. Outside the main thread, where Python handles no signals, nothing changes.
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
        """Whether a signal has arrived."""
        return self._received is not None

    def answer(self, step: int):
        """Raises KeyboardInterrupt if a signal has arrived; the message says how to resume."""
        if self.is_made:
            raise KeyboardInterrupt(
                f"stopped by {self._received.name} after step {step}, which is saved: run the same "
                "command again to resume"
            )

    def _note(self, number, frame):
        self._received = signal.Signals(number)
        self._restore()

    def _restore(self):
        while self._handlers:
            signal.signal(*self._handlers.popitem())


class EventLog:
    """Scalars over steps for TensorBoard, written to disk at once.

    (The writer of TensorBoard has a thread, whose errors, such as that of a full disk, come late
    and as tracebacks on the screen.)

    Args:
        directory: receives one file of events for each process that adds scalars.
    """

    def __init__(self, directory: Path):
        name = f"events.out.tfevents.{int(time.time())}.{socket.gethostname()}.{os.getpid()}"
        self.path = Path(directory) / name

    def add(self, numbers: dict[str, float], step: int):
        """Adds one scalar for each name.

        Args:
            numbers: scalars by name.
            step: the step that they belong to.

        Raises:
            OSError: the disk is full, for example.
        """
        events = [
            Event(wall_time=time.time(), step=step, summary=scalar_pb(name, float(number)))
            for name, number in numbers.items()
        ]
        if not self.path.exists():
            events.insert(0, Event(wall_time=time.time(), file_version="brain.Event:2"))
        records = io.BytesIO()
        writer = RecordWriter(records)
        for event in events:
            writer.write(event.SerializeToString())
        with naming_full_disk(self.path):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with open(self.path, "ab") as file:
                file.write(records.getvalue())
