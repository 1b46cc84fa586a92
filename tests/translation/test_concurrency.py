import threading
import time

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

    def work(number):
        begun.append(number)
        if number == 1:
            raise ValueError("number 1")
        # Time for the error to come through: all of them would take two seconds.
        time.sleep(0.04)

    with pytest.raises(ValueError, match="number 1"):
        list(map_in_threads(work, range(50), 2))
    assert len(begun) < 50


def test_there_is_a_core():
    assert available_cores() >= 1
