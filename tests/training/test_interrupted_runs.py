import os
import re
import signal

import numpy as np
import pytest
from toy_corpus import toy_pairs, write_tsv
from training_runs import end_of, final_state, progress_of, start_train, states, wait_for_states

from keras_bahdanau.translation.translator import Translator


def assert_same_end(first, second, tolerance=0.0):
    """Both runs ended with the same weights, moments, steps and random states."""
    expected, received = final_state(first), final_state(second)
    assert expected.keys() == received.keys()
    for name, values in expected.items():
        is_integer = values.dtype.kind in "iu"
        atol = 0 if is_integer else tolerance
        np.testing.assert_allclose(values, received[name], rtol=0, atol=atol, err_msg=name)
    models = [Translator.load(directory).model.get_weights() for directory in (first, second)]
    for one, other in zip(*models, strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=tolerance)


@pytest.fixture(scope="module")
def whole_run(tmp_path_factory):
    """The directory of a run that nothing interrupted, and its files."""
    folder, pairs = tmp_path_factory.mktemp("whole"), toy_pairs(660)
    files = write_tsv(folder / "t.tsv", pairs[:640]), write_tsv(folder / "v.tsv", pairs[640:])
    code, errors = end_of(start_train(folder / "model", files))
    assert code == 0, errors
    return folder / "model", files


@pytest.mark.slow
def test_a_run_that_was_killed_and_has_a_damaged_state_ends_with_the_same_weights(
    whole_run, tmp_path
):
    whole, files = whole_run
    killed = tmp_path / "killed"
    process = start_train(killed, files)
    wait_for_states(process, killed, 2)
    process.send_signal(signal.SIGKILL)
    assert end_of(process)[0] == -signal.SIGKILL
    assert not (killed / "model.keras").exists()
    damaged = states(killed)[-1]
    damaged.write_bytes(damaged.read_bytes()[:1000])

    code, errors = end_of(start_train(killed, files))
    assert code == 0, errors
    (line,) = [line for line in errors if "not used" in line]
    assert f"{damaged}, whose checksum is wrong (1,000 bytes)" in line
    assert_same_end(whole, killed)
    histories = [progress_of(directory).history for directory in (whole, killed)]
    for one, other in zip(*histories, strict=True):
        assert one["validation_bleu"] == other["validation_bleu"]
        assert one["training_loss"] == pytest.approx(other["training_loss"], abs=2e-4)


@pytest.mark.slow
def test_a_run_that_was_stopped_and_met_a_full_disk_ends_with_the_same_weights(whole_run, tmp_path):
    whole, files = whole_run
    stopped = tmp_path / "stopped"
    process = start_train(stopped, files)
    wait_for_states(process, stopped, 1)
    process.send_signal(signal.SIGTERM)
    code, errors = end_of(process)
    assert code == 1
    step = int(states(stopped)[-1].stem.removeprefix("state-"))
    assert errors[-1] == (
        f"stopped by SIGTERM after step {step}, which is saved: "
        "run the same command again to resume"
    )

    # A limit of the process's files in place of a full disk, which only an administrator can make.
    before = {path: path.read_bytes() for path in states(stopped)}
    limit = len(before[states(stopped)[-1]]) // 2
    no_room = f"resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}))"
    code, errors = end_of(start_train(stopped, files, first=no_room))
    assert code == 1
    assert re.search(
        r"File too large \([\d,]+ bytes needed, .* free\): '.*/state-\d+.npz'", errors[-1]
    )
    assert {path: path.read_bytes() for path in states(stopped)} == before
    assert not list(stopped.rglob(".*"))

    code, errors = end_of(start_train(stopped, files))
    assert code == 0, errors
    assert_same_end(whole, stopped)


@pytest.mark.slow
def test_a_run_that_changes_the_number_of_cores_ends_with_almost_the_same_weights(
    whole_run, tmp_path
):
    cores = sorted(os.sched_getaffinity(0))[:2]
    if len(cores) < 2:
        pytest.skip("needs two cores")
    whole, files = whole_run
    moved = tmp_path / "moved"
    process = start_train(moved, files, first=f"os.sched_setaffinity(0, {cores[:1]})")
    wait_for_states(process, moved, 2)
    process.send_signal(signal.SIGTERM)
    assert end_of(process)[0] == 1
    code, errors = end_of(start_train(moved, files, first=f"os.sched_setaffinity(0, {cores})"))
    assert code == 0, errors
    # The steps and the random states are the same; sums may be taken in another order.
    assert_same_end(whole, moved, tolerance=1e-4)
