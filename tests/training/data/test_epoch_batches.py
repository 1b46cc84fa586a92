import numpy as np
import pytest

from keras_bahdanau.training.data.batch_plan import BatchPlan


def make(count, **options):
    lengths = np.random.default_rng(0).integers(1, 30, (2, count))
    options = {"batch_size": 8, "pool_batches": 4, "seed": 1, **options}
    return BatchPlan(*lengths, **options)


POOLED = {"shuffled_pairs": 192, "block_pairs": 16}


def test_a_pool_is_made_of_blocks_from_everywhere():
    plan = make(4000, **POOLED)
    first = np.concatenate([plan.batches(0)[index] for index in range(24)])
    blocks = np.unique(first // 16)
    assert len(first) == 192 and len(blocks) == 12
    assert len(np.unique(blocks // 63)) > 2
    # The neighbours of a block do not stay together in their batches.
    assert (np.diff(first) == 1).mean() < 0.1


def test_pools_are_of_other_blocks_in_every_epoch():
    plan = make(4000, **POOLED)
    firsts = []
    for epoch in (0, 1):
        batches = plan.batches(epoch)
        firsts.append({int(i) for index in range(24) for i in batches[index]})
    assert len(firsts[0] & firsts[1]) < 100


def test_the_order_of_a_whole_shuffle_does_not_depend_on_the_size_of_blocks():
    plans = [
        make(500, shuffled_pairs=size, block_pairs=block) for size, block in ((500, 1), (9999, 64))
    ]
    first, second = (np.concatenate(list(plan.batches(2))).tolist() for plan in plans)
    assert first == second


def test_only_the_pool_that_is_asked_for_is_made(monkeypatch):
    batches = make(4000, **POOLED).batches(0)
    made = []
    make_pool = type(batches)._make
    monkeypatch.setattr(
        type(batches), "_make", lambda self, number: made.append(number) or make_pool(self, number)
    )
    assert len(batches) == 500
    assert made == []
    for index in (470, 471, 0, 1, 23, 24):
        assert len(batches[index]) == 8
    assert made == [19, 0, 1]


@pytest.mark.parametrize("size", [{}, {"batch_size": None, "tokens_per_batch": 100}])
def test_items_can_be_read_in_any_order(size):
    plan = make(1000, **POOLED, **size)
    whole = [indices.tolist() for indices in plan.batches(3)]
    fresh = make(1000, **POOLED, **size).batches(3)
    assert len(fresh) == len(whole)
    for index in np.random.default_rng(0).permutation(len(whole)):
        assert fresh[int(index)].tolist() == whole[index]


def test_without_shuffling_each_pool_is_sorted_and_holds_neighbours():
    plan = make(1000, shuffle=False, **POOLED)
    order = np.concatenate(list(plan.batches(0)))
    for start in range(0, 1000, 192):
        pool = order[start : start + 192]
        assert sorted(pool.tolist()) == list(range(start, min(start + 192, 1000)))
        assert (np.diff(plan.target_lengths[pool]) >= 0).all()


@pytest.mark.parametrize("index", [-1, 125])
def test_items_beyond_the_epoch(index):
    with pytest.raises(IndexError, match=f"has 125 batches. Received: {index}"):
        make(1000).batches(0)[index]
