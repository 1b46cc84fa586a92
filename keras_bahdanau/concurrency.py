"""The same work on several inputs at once, in threads of this process."""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any


def available_cores() -> int:
    """How many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def map_in_threads(function: Callable, inputs: Sequence, threads: int) -> Iterator[Any]:
    """Yields the function of each input, in order.

    The first input is worked on alone: what is compiled at the first call is compiled once.

    Args:
        function: does most of its work outside of Python, as compiled graphs do.
        inputs: what it is called with.
        threads: how many calls run at once.
    """
    if threads < 2 or len(inputs) < 3:
        yield from map(function, inputs)
        return
    yield function(inputs[0])
    with ThreadPoolExecutor(threads) as pool:
        yield from _unless_stopped(pool, pool.map(function, inputs[1:]))


def _unless_stopped(pool: ThreadPoolExecutor, results: Iterable) -> Iterator[Any]:
    try:
        yield from results
    except BaseException:
        # Nobody waits for what has not begun.
        pool.shutdown(wait=False, cancel_futures=True)
        raise
