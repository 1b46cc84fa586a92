import threading

import pytest

from keras_bahdanau.concurrency import available_cores, map_in_threads


@pytest.mark.parametrize("threads", [1, 2, 5])
@pytest.mark.parametrize("count", [0, 1, 2, 3, 20])
def test_results_are_in_order(threads, count):
    assert list(map_in_threads(lambda x: x * x, range(count), threads)) == [
        x * x for x in range(count)
    ]


def test_all_but_the_first_run_at_once():
    together = threading.Barrier(3, timeout=60)
    firsts = []

    def work(number):
        if number == 0:
            firsts.append(threading.active_count())
        else:
            together.wait()
        return number

    before = threading.active_count()
    assert list(map_in_threads(work, range(4), 3)) == [0, 1, 2, 3]
    assert firsts == [before]


def test_an_error_comes_through_and_nothing_more_begins():
    begun = []
    first_is_done = threading.Event()

    def work(number):
        begun.append(number)
        if number == 1:
            raise ValueError("number 1")
        if number > 1:
            first_is_done.wait(60)

    with pytest.raises(ValueError, match="number 1"):
        try:
            list(map_in_threads(work, range(50), 2))
        finally:
            first_is_done.set()
    assert len(begun) < 50


def test_there_is_a_core():
    assert available_cores() >= 1
