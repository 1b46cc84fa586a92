"""Where a run computes: on one device, on several of one machine, or on several machines."""

import contextlib
import re
from collections.abc import Callable
from typing import TypeVar

import keras
import numpy as np

from keras_bahdanau.errors import InputError
from keras_bahdanau.quiet import silenced_native_logs

from .cluster import place_in_cluster

# How long a process may not answer before it counts as lost. TensorFlow's own 10 s are passed on
# machines that have much else to do.
SILENCE_SECONDS = 60
Result = TypeVar("Result")


class Distribution:
    """The devices that share every batch of a run, and this process among those of the run.

    Args:
        strategy: a `tf.distribute.Strategy`, or `None` for one device: then nothing here does
            anything.
        process: number of this process. Process 0 is the chief, which alone writes and validates.
        processes: how many the run has, one for each machine.
    """

    def __init__(self, strategy=None, process: int = 0, processes: int = 1) -> None:
        self.strategy = strategy
        self.process = process
        self.processes = processes

    @property
    def is_chief(self) -> bool:
        """Whether this is the process that writes and validates."""
        return self.process == 0

    def scope(self):
        """The context in which variables are made, and models trained."""
        return self.strategy.scope() if self.strategy else contextlib.nullcontext()

    def from_chief(self, compute: Callable[[], float]) -> float:
        """Calls a function on the chief alone, and returns its number in every process.

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
        """Calls a function in every process, after the chief is done with it in the others.

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
        """Returns when all processes came here."""
        self.from_chief(lambda: 0.0)

    def separate_dropout(self, model: keras.Model) -> None:
        """Gives the replicas different dropout masks. A checkpoint has the state of the first."""
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
        """Turns TensorFlow's errors about another process into one line.

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
                f"every machine again to go on from the last checkpoint ({reason})"
            ) from error


def start_distribution(devices: int = 1) -> Distribution:
    """The distribution that machine and environment give. To call before any TensorFlow operation.

    Where the environment variable `TF_CONFIG` describes a cluster, its processes share each batch
    by `tf.distribute.MultiWorkerMirroredStrategy`; without it, the devices of this machine do by
    `tf.distribute.MirroredStrategy`.

    Args:
        devices: how many GPUs of each machine take part; where there is none, processors.

    Raises:
        InputError: there are not as many devices, `TF_CONFIG` is wrong, or Keras's backend is
            not TensorFlow.
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
        _allow_silence(processes)
        strategy = tf.distribute.MultiWorkerMirroredStrategy()
    return Distribution(strategy, process, processes)


def _allow_silence(processes):
    # TensorFlow has no public name for this; the strategy takes what it finds.
    from tensorflow.compiler.xla.tsl.protobuf.coordination_config_pb2 import CoordinatedJob
    from tensorflow.python.eager import context

    context.context().configure_coordination_service(
        service_type="standalone",
        service_leader="/job:worker/replica:0/task:0",
        coordinated_jobs=[CoordinatedJob(name="worker", num_tasks=processes)],
        heartbeat_timeout_in_ms=1000 * SILENCE_SECONDS,
    )


def _check_number(found, wanted, kind):
    if not 1 <= wanted <= found:
        raise InputError(f"Expected --devices of 1 to {found} ({kind}). Received: {wanted}")
