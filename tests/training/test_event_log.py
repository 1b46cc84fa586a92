import subprocess
import sys

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.util.tensor_util import make_ndarray

from keras_bahdanau.training.event_log import EventLog


def shown(directory):
    """What TensorBoard reads: `{name: [(step, number), ...]}`."""
    events = EventAccumulator(str(directory)).Reload()
    return {
        name: [(each.step, make_ndarray(each.tensor_proto).item()) for each in events.Tensors(name)]
        for name in events.Tags()["tensors"]
    }


def test_tensorboard_reads_what_was_added_at_once(tmp_path):
    log = EventLog(tmp_path / "logs")
    log.add({"training_loss": 2.5, "validation_bleu": 10}, step=1)
    expected = {"training_loss": [(1, 2.5)], "validation_bleu": [(1, 10.0)]}
    assert shown(tmp_path / "logs") == expected
    log.add({"training_loss": 1.5}, step=2)
    assert shown(tmp_path / "logs") == {**expected, "training_loss": [(1, 2.5), (2, 1.5)]}


# A limit of the process's files in place of a full disk, which only an administrator can make.
FILL = """
import resource, sys
from keras_bahdanau.training.event_log import EventLog
resource.setrlimit(resource.RLIMIT_FSIZE, (300, 300))
log = EventLog(sys.argv[1])
log.add({"loss": 1.0}, step=1)
try:
    log.add({f"loss_{n}": 1.0 for n in range(10)}, step=2)
except OSError as error:
    print(error)
"""


def test_a_full_disk_is_one_error_that_names_the_file(tmp_path):
    process = subprocess.run(
        [sys.executable, "-c", FILL, tmp_path], capture_output=True, text=True, check=True
    )
    (line,) = process.stdout.splitlines()
    (path,) = tmp_path.iterdir()
    assert "File too large" in line
    assert line.endswith(f"free): '{path}'")
    assert "Traceback" not in process.stderr
    assert shown(tmp_path)["loss"] == [(1, 1.0)]
