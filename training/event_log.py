"""Numbers over steps for TensorBoard."""

import io
import os
import socket
import time
from pathlib import Path

from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.plugins.scalar.summary_v2 import scalar_pb
from tensorboard.summary.writer.record_writer import RecordWriter

from keras_bahdanau.files import naming_full_disk


class EventLog:
    """A file of events in a directory that TensorBoard shows.

    What is added stands in the file at once. (TensorBoard's own writer has a thread for it, whose
    errors, such as that of a full disk, come late and as tracebacks on the screen.)

    Args:
        directory: receives a file for each process that adds something.
    """

    def __init__(self, directory: Path):
        name = f"events.out.tfevents.{int(time.time())}.{socket.gethostname()}.{os.getpid()}"
        self.path = Path(directory) / name

    def add(self, numbers: dict[str, float], step: int):
        """Adds one number for each name.

        Args:
            numbers: names and numbers.
            step: where they stand on the horizontal axis.
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
