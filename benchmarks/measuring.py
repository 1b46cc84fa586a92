"""Measurements of time and peak memory, each in a process of its own.

`measure` starts this file as a program. The process that calls it never imports Keras: a new
process begins with the peak memory of the one that started it.
"""

import json
import math
import os
import resource
import subprocess
import sys
import time
from typing import NamedTuple

# The package's own form comes first; the others are compared with it.
FORMS = {
    "attention": ("BahdanauAttention", "AdditiveAttention", "naive sum", "naive product"),
    "recurrent": ("AttentionRNN", "naive product"),
}
LEAST_REPETITIONS = 3
LEAST_SECONDS = 1.0
TIMED_SECONDS = 0.05


class Case(NamedTuple):
    """What is measured: `size` is `(batch_size, query_length, value_length, units)`."""

    backend: str
    table: str
    form: str
    size: tuple[int, int, int, int]
    round: int


class Measurement(NamedTuple):
    """Minimum CPU time and wall time of one training step; peak memory."""

    cpu_milliseconds: float
    wall_milliseconds: float
    megabytes: float


def measure(case: Case) -> Measurement:
    """Measures one case in a new process, always on the CPU.

    Raises:
        RuntimeError: the process failed. The message ends with its standard error.
    """
    process = subprocess.run(
        [sys.executable, __file__, case.table, case.form, *map(str, case.size)],
        env={
            **os.environ,
            "KERAS_BACKEND": case.backend,
            "TF_CPP_MIN_LOG_LEVEL": "3",
            "CUDA_VISIBLE_DEVICES": "-1",
            "JAX_PLATFORMS": "cpu",
        },
        capture_output=True,
        text=True,
    )
    if process.returncode:
        raise RuntimeError(
            f"Measuring {case.form} at {case.size} on {case.backend} ended with exit code "
            f"{process.returncode}.\n{process.stderr}"
        )
    return Measurement(*json.loads(process.stdout.splitlines()[-1]))


def measure_all(cases, output=None):
    """Measures all cases that `output` does not hold already, and adds them to it.

    Args:
        cases: list of `Case`.
        output: path of a file with one JSON object a line, or `None`.

    Returns:
        dict of `Case` and `Measurement`.
    """
    results = read(output) if output and output.exists() else {}
    for number, case in enumerate(cases, 1):
        known = case in results
        if not known:
            results[case] = measure(case)
            if output:
                line = json.dumps(case._asdict() | results[case]._asdict())
                with output.open("a", encoding="utf-8") as file:
                    file.write(f"{line}\n")
        size, found = " x ".join(map(str, case.size)), results[case]
        print(
            f"[{number}/{len(cases)}] round {case.round}, {case.table}, {size}, {case.form}: "
            f"{found.cpu_milliseconds:.1f} CPU ms, {found.megabytes:.1f} MB"
            f"{' (measured before)' if known else ''}",
            file=sys.stderr,
        )
    return {case: results[case] for case in cases}


def read(path):
    """Reads what `measure_all` wrote: dict of `Case` and `Measurement`."""
    results = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        try:
            fields = json.loads(line)
            case = Case(**{name: fields[name] for name in Case._fields})
            found = Measurement(**{name: fields[name] for name in Measurement._fields})
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(
                f"{path}, line {number}: expected a measurement of this program. Received: {line}"
            ) from error
        results[case._replace(size=tuple(case.size))] = found
    return results


def measure_here(table, form, size):
    from attention_forms import make_form, random_inputs, training_step

    step = training_step(*make_form(table, form, units=size[-1]), random_inputs(size))
    before = _peak_bytes()
    # The first step traces and compiles: its memory counts, its time does not.
    step()
    _, wall = _times(step, number=1)
    # With several threads the CPU clock is updated late.
    number = math.ceil(TIMED_SECONDS / wall)
    times = []
    begin = time.perf_counter()
    while len(times) < LEAST_REPETITIONS or time.perf_counter() - begin < LEAST_SECONDS:
        times.append(_times(step, number))
    cpu, wall = (min(column) for column in zip(*times, strict=True))
    return Measurement(1e3 * cpu, 1e3 * wall, (_peak_bytes() - before) / 1e6)


def _times(step, number):
    """CPU-seconds and wall seconds of a step, in a run of `number` steps."""
    wall, cpu = time.perf_counter(), time.process_time()
    for _ in range(number):
        step()
    return (time.process_time() - cpu) / number, (time.perf_counter() - wall) / number


def _peak_bytes():
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else 1024 * peak


if __name__ == "__main__":
    table, form, *size = sys.argv[1:]
    print(json.dumps(measure_here(table, form, tuple(map(int, size)))))
