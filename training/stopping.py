"""SIGTERM and SIGINT as requests that a run answers at the end of its step."""

import signal
import threading

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
