"""Parallel map in threads."""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any


def available_cores() -> int:
    """Number of processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def map_in_threads(function: Callable, inputs: Sequence, threads: int) -> Iterator[Any]:
    """Yields the function of each input, in order.

    The first call runs alone, so that what it compiles is compiled once.

    Args:
        function: releases the global interpreter lock most of the time, as compiled graphs do.
        inputs: its arguments.
        threads: number of concurrent calls.
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
        # Without this, the pool would run the calls that have not started.
        pool.shutdown(wait=False, cancel_futures=True)
        raise
