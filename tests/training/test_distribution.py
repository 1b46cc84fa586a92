import json
import signal
import socket
import subprocess
import sys

import numpy as np
import pytest
from toy_corpus import toy_pairs, write_tsv
from training_runs import end_of, final_state, progress_of, start_train, states, wait_for_states

from keras_bahdanau.errors import InputError
from keras_bahdanau.training.distribution import (
    Distribution,
    is_chief,
    place_in_cluster,
    start_distribution,
)

# Without dropout, runs on one and on several devices differ by the order of sums alone.
CHANGES = {"dropout": 0.0, "batch_size": 14}
TWO_DEVICES = (
    "import tensorflow as tf; tf.config.set_logical_device_configuration("
    "tf.config.list_physical_devices('CPU')[0], [tf.config.LogicalDeviceConfiguration()] * 2)"
)


def cluster(process, ports):
    workers = [f"127.0.0.1:{port}" for port in ports]
    task = {"type": "worker", "index": process}
    return json.dumps({"cluster": {"worker": workers}, "task": task})


def free_ports():
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def start_on_one_device(directory, files):
    return [start_train(directory, files, **CHANGES)]


def start_on_two_devices(directory, files):
    return [start_train(directory, files, first=TWO_DEVICES, devices=2, **CHANGES)]


def start_on_two_machines(directory, files):
    """Starts the two processes of a run, the chief first."""
    ports = free_ports()
    return [
        start_train(
            directory,
            files,
            first=f"os.environ['TF_CONFIG'] = {cluster(process, ports)!r}",
            **CHANGES,
        )
        for process in range(2)
    ]


def assert_same_run(directory, other, **tolerance):
    state, other_state = final_state(directory), final_state(other)
    assert state.keys() == other_state.keys()
    for name in state:
        np.testing.assert_allclose(state[name], other_state[name], err_msg=name, **tolerance)
    losses, other_losses = (
        [epoch["training_loss"] for epoch in progress_of(each).history]
        for each in (directory, other)
    )
    assert len(losses) == 3
    np.testing.assert_allclose(losses, other_losses, atol=2e-4)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder, pairs = tmp_path_factory.mktemp("text"), toy_pairs(109)
    # 99 pairs in batches of 14: the last batch of an epoch has one.
    train = write_tsv(folder / "train.tsv", pairs[:99])
    return train, write_tsv(folder / "validation.tsv", pairs[99:])


@pytest.fixture(scope="module")
def alone(files, tmp_path_factory):
    """The directory of a run on one device."""
    directory = tmp_path_factory.mktemp("alone") / "model"
    (process,) = start_on_one_device(directory, files)
    code, lines = end_of(process)
    assert code == 0, lines
    return directory


@pytest.fixture(scope="module")
def together(files, tmp_path_factory):
    """The directory of a run of two processes."""
    directory = tmp_path_factory.mktemp("together") / "model"
    processes = start_on_two_machines(directory, files)
    (code, lines), (other_code, other_lines) = map(end_of, processes)
    assert (code, other_code) == (0, 0), (lines, other_lines)
    # The chief alone tells the story.
    assert [line for line in lines if line.startswith("epoch ")]
    assert other_lines == []
    return directory


@pytest.mark.slow
def test_two_devices_make_the_run_of_one(alone, files, tmp_path):
    (process,) = start_on_two_devices(tmp_path / "model", files)
    code, lines = end_of(process)
    assert code == 0, lines
    assert_same_run(tmp_path / "model", alone, atol=2e-4)


@pytest.mark.slow
def test_two_processes_make_the_run_of_one(alone, together):
    assert_same_run(together, alone, atol=2e-4)
    assert {path.name for path in together.iterdir()} == {path.name for path in alone.iterdir()}


@pytest.mark.parametrize(
    "killed",
    [pytest.param(0, marks=pytest.mark.exhaustive), pytest.param(1, marks=pytest.mark.slow)],
)
def test_a_killed_process_ends_the_run_and_the_next_goes_on(together, files, tmp_path, killed):
    directory = tmp_path / "model"
    processes = start_on_two_machines(directory, files)
    wait_for_states(processes[0], directory, 2)
    processes[killed].kill()
    assert end_of(processes[killed])[0] == -signal.SIGKILL
    code, lines = end_of(processes[1 - killed])
    assert code == 1, lines
    assert lines[-1].startswith("error: another process of the run ended or cannot be reached")
    assert len([line for line in lines if "error" in line]) == 1

    left = int(states(directory)[-1].stem.split("-")[1])
    (code, lines), (other_code, other_lines) = map(end_of, start_on_two_machines(directory, files))
    assert (code, other_code) == (0, 0), (lines, other_lines)
    assert any(line.startswith("continuing at epoch ") for line in lines)
    assert left > 0
    assert_same_run(directory, together, atol=1e-5)


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    "start, start_again",
    [
        (start_on_one_device, start_on_two_devices),
        (start_on_two_devices, start_on_two_machines),
        (start_on_two_machines, start_on_one_device),
    ],
)
def test_a_stopped_run_goes_on_with_others(alone, files, tmp_path, start, start_again):
    directory = tmp_path / "model"
    processes = start(directory, files)
    wait_for_states(processes[0], directory, 1)
    processes[0].send_signal(signal.SIGTERM)
    ends = [end_of(process) for process in processes]
    assert {code for code, _ in ends} == {1}, ends
    _, lines = ends[0]
    assert lines[-1].startswith("stopped by SIGTERM after step ")
    step = int(states(directory)[-1].stem.split("-")[1])

    ends = [end_of(process) for process in start_again(directory, files)]
    assert {code for code, _ in ends} == {0}, ends
    _, lines = ends[0]
    assert any(line.startswith("continuing at epoch ") for line in lines), lines
    assert 0 < step < 24
    assert_same_run(directory, alone, atol=2e-4)


DROPOUT = f"""
import numpy as np
{TWO_DEVICES}
from keras_bahdanau.models import TranslationModel
from keras_bahdanau.training.distribution import start_distribution
from keras_bahdanau.training.presets import preset_options
from keras_bahdanau.training.compilation import compile_for_training

options = preset_options("tiny", dropout=0.5)
distribution = start_distribution(2)
model = compile_for_training(
    TranslationModel(20, **options.model_arguments()), options, 1, distribution
)
inputs = {{name: np.full((1, 3), 5) for name in ("source_ids", "target_in_ids")}}


def are_equal():
    features = distribution.strategy.run(lambda: model(inputs, training=True))
    return np.array_equal(*distribution.strategy.experimental_local_results(features))


with distribution.scope():
    assert are_equal()
    distribution.separate_dropout(model)
    assert not are_equal()
"""


@pytest.mark.slow
def test_replicas_have_dropout_masks_of_their_own():
    subprocess.run([sys.executable, "-c", DROPOUT], check=True)


def test_without_a_cluster_and_with_one_device_there_is_nothing_to_share(monkeypatch):
    monkeypatch.delenv("TF_CONFIG", raising=False)
    distribution = start_distribution()
    assert distribution.strategy is None
    assert distribution.is_chief
    assert distribution.from_chief(lambda: 1 / 3) == 1 / 3
    assert distribution.chief_first(lambda: "prepared") == "prepared"


@pytest.mark.parametrize("devices", [0, 99])
def test_a_number_of_devices_that_there_is_not(monkeypatch, devices):
    monkeypatch.delenv("TF_CONFIG", raising=False)
    with pytest.raises(InputError, match=rf"--devices of 1 to \d+ \([CG]PU\). Received: {devices}"):
        start_distribution(devices)


def test_what_is_no_error_of_a_process_comes_through():
    with pytest.raises(OSError, match="disk"), Distribution().naming_lost_process():
        raise OSError("disk")


def two_workers(process):
    task = {"type": "worker", "index": process}
    return json.dumps({"cluster": {"worker": ["host-0:2222", "host-1:2222"]}, "task": task})


def test_the_place_in_a_cluster(monkeypatch):
    monkeypatch.setenv("TF_CONFIG", two_workers(1))
    assert place_in_cluster() == (1, 2)
    assert not is_chief()
    monkeypatch.delenv("TF_CONFIG")
    assert place_in_cluster() == (0, 1)
    assert is_chief()


@pytest.mark.parametrize(
    "text",
    [
        "host:2222",
        "[]",
        "{}",
        two_workers(2),
        two_workers(-1),
        two_workers(0).replace("worker", "chief"),
        two_workers(0).replace('"type": "worker"', '"type": "evaluator"'),
        two_workers(0).replace('"worker": [', '"chief": ["h:1"], "worker": ['),
    ],
)
def test_a_wrong_description_of_the_cluster(monkeypatch, text):
    monkeypatch.setenv("TF_CONFIG", text)
    with pytest.raises(InputError, match="Expected TF_CONFIG such as"):
        place_in_cluster()
