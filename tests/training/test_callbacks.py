import os
import signal
import subprocess
import sys
import threading

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.util.tensor_util import make_ndarray

from keras_bahdanau.training.callbacks import SIGNALS, EventLog, StopRequest


@pytest.fixture(autouse=True)
def usual_handlers():
    """Python's own, because what a shell starts in the background ignores SIGINT."""
    usual = {signal.SIGINT: signal.default_int_handler, signal.SIGTERM: signal.SIG_DFL}
    before = {number: signal.signal(number, handler) for number, handler in usual.items()}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def handlers():
    return [signal.getsignal(number) for number in SIGNALS]


@pytest.mark.parametrize("number", SIGNALS)
def test_the_first_signal_is_answered_when_asked_for(number):
    before = handlers()
    with StopRequest() as stop:
        stop.answer(step=1)
        signal.raise_signal(number)
        assert stop.is_made
        # From now on, a signal does what it did before.
        assert handlers() == before
        with pytest.raises(KeyboardInterrupt, match=f"stopped by {number.name} after step 7, "):
            stop.answer(step=7)


def test_without_a_signal_nothing_changes():
    before = handlers()
    with StopRequest() as stop:
        assert handlers() != before
        assert not stop.is_made
        stop.answer(step=3)
    assert handlers() == before


def test_the_handlers_come_back_after_an_error():
    before = handlers()
    with pytest.raises(RuntimeError), StopRequest():
        raise RuntimeError
    assert handlers() == before


def test_what_is_ignored_stays_ignored():
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with StopRequest() as stop:
        os.kill(os.getpid(), signal.SIGINT)
        assert not stop.is_made


def test_in_a_thread_of_its_own_a_run_takes_no_signals():
    made = []

    def run():
        with StopRequest() as stop:
            made.append(stop.is_made)

    before = handlers()
    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert made == [False]
    assert handlers() == before


def test_the_second_signal_ends_the_process():
    code = (
        "import signal\n"
        "from keras_bahdanau.training.callbacks import StopRequest\n"
        "with StopRequest():\n"
        "    signal.raise_signal(signal.SIGTERM)\n"
        "    print('goes on', flush=True)\n"
        "    signal.raise_signal(signal.SIGTERM)\n"
        "    print('not reached')\n"
    )
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert process.returncode == -signal.SIGTERM
    assert process.stdout == "goes on\n"


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
from keras_bahdanau.training.callbacks import EventLog
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
