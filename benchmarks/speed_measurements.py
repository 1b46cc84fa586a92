"""Measurements of training speed, each in a process of its own, for `training_speed.py`."""

import json
import sys
from typing import NamedTuple

from peers import peer_programs
from text_files import BATCHES_FILE

# Throughput of a matrix product on this machine, measured between the programs.
LIMIT = "limit"
LIMIT_PROGRAM = "measure_matrix_product.py"


class Case(NamedTuple):
    """What is measured.

    Attributes:
        name: key of `peer_programs.PEERS`, or `LIMIT`.
        order: order of the batches.
        steps: steps of the warm-up, and steps that are measured.
        changes: training options of this package that differ, `"name=value"` each.
        round: from 1.
    """

    name: str
    order: str
    steps: tuple[int, int]
    changes: tuple[str, ...]
    round: int


def measure(case, options):
    """Measures one case: a dict, as the program prints it.

    Raises:
        RuntimeError: the program failed.
    """
    if case.name == LIMIT:
        return peer_programs.last_line(LIMIT_PROGRAM, peer_programs.OWN_ENVIRONMENT, None, [])
    peer = peer_programs.PEERS[case.name]
    warm_up, steps = case.steps
    arguments = [options.data / BATCHES_FILE, "--order", case.order]
    arguments += ["--warm-up-steps", warm_up, "--measure-steps", steps]
    for change in case.changes:
        arguments += ["--option", change]
    return peer_programs.last_line(peer.program, peer.environment, options.environments, arguments)


def measure_all(cases, options):
    """Measures all cases that `options.output` does not hold already, and adds them to it.

    Returns:
        `(results, failed)`: a dict of `Case` and what its program printed, and a set of the names
        of programs that failed; the others are measured all the same.
    """
    output = options.output
    results = read(output) if output and output.exists() else {}
    failed = set()
    for number, case in enumerate(cases, 1):
        known = case in results
        if not known:
            try:
                results[case] = measure(case, options)
            except RuntimeError as error:
                print(error, file=sys.stderr)
                failed.add(case.name)
                continue
            if output:
                with output.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(case._asdict() | {"found": results[case]}) + "\n")
        name = ", ".join([case.name, *case.changes])
        print(
            f"[{number}/{len(cases)}] round {case.round}, {case.order}, {name}: "
            f"{_line(case, results[case])}{' (measured before)' if known else ''}",
            file=sys.stderr,
        )
    return {case: results[case] for case in cases if case in results}, failed


def read(path):
    """Reads what `measure_all` wrote: dict of `Case` and dict."""
    results = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        try:
            fields = json.loads(line)
            steps, changes = tuple(fields["steps"]), tuple(fields["changes"])
            case = Case(fields["name"], fields["order"], steps, changes, fields["round"])
            results[case] = fields["found"]
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(
                f"{path}, line {number}: expected a measurement of this program. Received: {line}"
            ) from error
    return results


def _line(case, found):
    if case.name == LIMIT:
        return f"{found['float32']:.1f} GFLOP/s, bfloat16 {found['bfloat16']:.1f}"
    speed = found["target_tokens"] / found["cpu_seconds"]
    return f"{speed:.0f} target tokens a CPU-second, {found['peak_megabytes']:.0f} MB"
