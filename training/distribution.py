"""Distributed training: one device, several devices of a machine, or several machines."""

import contextlib
import json
import os
import re
from collections.abc import Callable
from typing import TypeVar

import keras
import numpy as np

from keras_bahdanau.errors import InputError
from keras_bahdanau.quiet import silenced_native_logs

CLUSTER_VARIABLE = "TF_CONFIG"
CLUSTER_EXAMPLE = (
    '{"cluster": {"worker": ["host-0:2222", "host-1:2222"]}, '
    '"task": {"type": "worker", "index": 0}}'
)
# Time without a heartbeat before a process counts as lost. TensorFlow's default of 10 s is exceeded
# on busy machines.
HEARTBEAT_TIMEOUT = 60
Result = TypeVar("Result")


class Distribution:
    """The devices that share every batch of a run, and this process among those of the run.

    Args:
        strategy: a `tf.distribute.Strategy`, or `None` for one device: then the methods do
            nothing, or call their argument.
        process: index of this process. Process 0 is the chief; only it writes and validates.
        processes: number of processes of the run, one for each machine.
    """

    def __init__(self, strategy=None, process: int = 0, processes: int = 1) -> None:
        self.strategy = strategy
        self.process = process
        self.processes = processes

    @property
    def is_chief(self) -> bool:
        """Whether this process is the one that writes and validates."""
        return self.process == 0

    def scope(self):
        """Returns the context to create variables and train models in."""
        return self.strategy.scope() if self.strategy else contextlib.nullcontext()

    def from_chief(self, compute: Callable[[], float]) -> float:
        """Calls a function on the chief only, and broadcasts the number that it returns.

        All processes have to call this; none returns before the chief has the number.
        """
        number = compute() if self.is_chief else 0.0
        if self.processes == 1:
            return number
        import tensorflow as tf

        def reduce():
            replica = tf.distribute.get_replica_context()
            is_first = tf.equal(replica.replica_id_in_sync_group, 0)
            numbers = tf.where(is_first, tf.constant([number], tf.float64), 0.0)
            return replica.all_reduce(tf.distribute.ReduceOp.SUM, numbers)

        with self.naming_lost_process():
            numbers = tf.function(lambda: self.strategy.run(reduce), autograph=False)()
            return float(self.strategy.experimental_local_results(numbers)[0][0])

    def chief_first(self, prepare: Callable[[], Result]) -> Result:
        """Calls a function in every process: first on the chief, then on the others.

        It returns when all processes are done.
        """
        if self.is_chief:
            result = prepare()
            self.wait()
        else:
            self.wait()
            result = prepare()
        self.wait()
        return result

    def wait(self) -> None:
        """Waits until all processes have called this (a barrier)."""
        self.from_chief(lambda: 0.0)

    def separate_dropout(self, model: keras.Model) -> None:
        """Gives each replica its own dropout masks. A checkpoint holds the state of the first."""
        if self.strategy is None:
            return
        for variable in model.non_trainable_variables:
            if variable.name != "seed_generator_state":
                continue
            states = self.strategy.experimental_local_results(variable.value)
            for replica, state in enumerate(states, self.process * len(states)):
                state.assign_add(np.array([replica, 0], state.dtype.as_numpy_dtype))

    @contextlib.contextmanager
    def naming_lost_process(self):
        """Context manager that turns TensorFlow's errors about other processes into one line.

        Raises:
            ConnectionError: another process ended, or cannot be reached.
        """
        if self.processes == 1:
            yield
            return
        from tensorflow import errors

        try:
            yield
        except (
            errors.UnavailableError,
            errors.AbortedError,
            errors.CancelledError,
            errors.DeadlineExceededError,
            errors.FailedPreconditionError,
            errors.InternalError,
        ) as error:
            reason = re.sub(r"^\{\{.*?\}\} ", "", error.message.splitlines()[0].rstrip(":"))
            raise ConnectionError(
                "another process of the run ended or cannot be reached: run the same command on "
                f"every machine again to resume from the last checkpoint ({reason})"
            ) from error


def start_distribution(devices: int = 1) -> Distribution:
    """Returns the distribution of a run. Must be called before any TensorFlow operation.

    If the environment variable `TF_CONFIG` describes a cluster, its processes share each batch by
    `tf.distribute.MultiWorkerMirroredStrategy`; without it, the devices of this machine do so by
    `tf.distribute.MirroredStrategy`.

    Args:
        devices: number of GPUs of each machine; of processors on a machine without GPUs.

    Raises:
        InputError: there are fewer devices, `TF_CONFIG` is malformed, or Keras's backend is not
            TensorFlow.
    """
    process, processes = place_in_cluster()
    if processes == 1 and devices == 1:
        return Distribution()
    if keras.backend.backend() != "tensorflow":
        raise InputError(
            "Expected the tensorflow backend for several devices or machines. Received: "
            f"{keras.backend.backend()}"
        )
    import tensorflow as tf

    with silenced_native_logs():
        kind = "GPU" if tf.config.list_physical_devices("GPU") else "CPU"
        if processes == 1:
            _check_number(len(tf.config.list_logical_devices(kind)), devices, kind)
            names = [f"{kind}:{index}" for index in range(devices)]
            return Distribution(tf.distribute.MirroredStrategy(names))
        physical = tf.config.list_physical_devices(kind)
        _check_number(len(physical), devices, kind)
        tf.config.set_visible_devices(physical[:devices], kind)
        _set_heartbeat_timeout(processes)
        strategy = tf.distribute.MultiWorkerMirroredStrategy()
    return Distribution(strategy, process, processes)


def is_chief() -> bool:
    """Returns whether this is the process of the run that writes and validates: the first one."""
    return place_in_cluster()[0] == 0


def place_in_cluster() -> tuple[int, int]:
    """Returns the index of this process and the number of processes; `(0, 1)` without `TF_CONFIG`.

    Raises:
        InputError: `TF_CONFIG` does not describe workers, with this process among them.
    """
    text = os.environ.get(CLUSTER_VARIABLE)
    if not text:
        return 0, 1
    try:
        description = json.loads(text)
        (kind, workers), *others = description["cluster"].items()
        process, is_worker = int(description["task"]["index"]), description["task"]["type"] == kind
    except (ValueError, KeyError, TypeError, AttributeError):
        is_worker = False
    if not is_worker or kind != "worker" or others or not 0 <= process < len(workers):
        raise InputError(f"Expected {CLUSTER_VARIABLE} such as {CLUSTER_EXAMPLE}. Received: {text}")
    return process, len(workers)


def _set_heartbeat_timeout(processes):
    # There is no public interface. The strategy keeps a configuration that was set before.
    from tensorflow.compiler.xla.tsl.protobuf.coordination_config_pb2 import CoordinatedJob
    from tensorflow.python.eager import context

    context.context().configure_coordination_service(
        service_type="standalone",
        service_leader="/job:worker/replica:0/task:0",
        coordinated_jobs=[CoordinatedJob(name="worker", num_tasks=processes)],
        heartbeat_timeout_in_ms=1000 * HEARTBEAT_TIMEOUT,
    )


def _check_number(found, wanted, kind):
    if not 1 <= wanted <= found:
        raise InputError(f"Expected --devices of 1 to {found} ({kind}). Received: {wanted}")
