import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_bahdanau.training.data.batch_plan import BatchPlan

LENGTHS = st.lists(st.tuples(st.integers(1, 30), st.integers(1, 30)), min_size=1, max_size=200)
SIZES = st.one_of(
    st.fixed_dictionaries({"batch_size": st.integers(1, 20)}),
    st.fixed_dictionaries({"tokens_per_batch": st.integers(1, 200)}),
)
OPTIONS = st.fixed_dictionaries(
    {
        "seed": st.integers(0, 2**40),
        "shuffle": st.booleans(),
        "pool_batches": st.integers(1, 5),
        "length_multiple": st.integers(1, 8),
        "shuffled_pairs": st.sampled_from([1, 10, 50, 1000]),
        "block_pairs": st.integers(1, 20),
    }
)


def make(lengths, sizes, options):
    source, target = np.array(lengths).T
    return BatchPlan(source, target, **sizes, **options)


def as_lists(batches):
    return [indices.tolist() for indices in batches]


@given(LENGTHS, SIZES, OPTIONS, st.integers(0, 1000))
def test_every_pair_comes_once_an_epoch(lengths, sizes, options, epoch):
    batches = make(lengths, sizes, options).batches(epoch)
    assert sorted(np.concatenate(batches).tolist()) == list(range(len(lengths)))


@given(LENGTHS, SIZES, OPTIONS, st.integers(0, 1000))
def test_batches_keep_to_their_size(lengths, sizes, options, epoch):
    plan = make(lengths, sizes, options)
    batches = plan.batches(epoch)
    assert all(len(indices) for indices in batches)
    if plan.batch_size:
        assert len(batches) == -(-len(lengths) // plan.batch_size)
        assert max(len(indices) for indices in batches) <= plan.batch_size
    else:
        for indices in batches:
            width = max(max(lengths[index]) for index in indices)
            assert len(indices) == 1 or len(indices) * width <= plan.tokens_per_batch


@given(LENGTHS, SIZES, OPTIONS)
def test_epochs_do_not_depend_on_what_was_asked_before(lengths, sizes, options):
    used, fresh = make(lengths, sizes, options), make(lengths, sizes, options)
    for epoch in (0, 1, 2):
        used.batches(epoch)
    assert as_lists(used.batches(1)) == as_lists(fresh.batches(1))


@given(LENGTHS, SIZES, OPTIONS, st.integers(0, 1000))
def test_widths_hold_their_pairs_and_differ_between_neighbours(lengths, sizes, options, epoch):
    plan = make(lengths, sizes, options)
    batches = plan.batches(epoch)
    widths = plan.sizes(batches).widths
    for indices, width in zip(batches, widths, strict=True):
        longest = np.array(lengths)[indices].max(axis=0)
        assert (longest <= width).all()
        assert (width < longest + 2 * plan.length_multiple).all()
        assert not (width % plan.length_multiple).any()
    assert (widths[1:] != widths[:-1]).all()


@given(LENGTHS, SIZES, OPTIONS)
def test_few_shapes_change_the_padding_and_not_the_pairs(lengths, sizes, options):
    plan, few = (
        make(lengths, sizes, {**options, "length_multiple": multiple, "few_shapes": multiple > 1})
        for multiple in (1, 8)
    )
    batches = few.batches(3)
    assert as_lists(batches) == as_lists(plan.batches(3))
    found, longest = few.sizes(batches), np.array(lengths).max(axis=0)
    assert (found.tokens == plan.sizes(batches).tokens).all()
    assert (found.widths < longest + 8).all() and not (found.widths % 8).any()
    for rows, indices in zip(found.rows.tolist(), batches, strict=True):
        if few.batch_size:
            assert rows == few.batch_size
        else:
            assert len(indices) <= rows < 1.25 * len(indices) or rows == len(indices)
            # At most three binary digits that count.
            assert rows < 8 or rows % (1 << (rows.bit_length() - 3)) == 0


@given(LENGTHS, SIZES, OPTIONS, st.integers(0, 1000))
def test_sizes_are_those_of_the_batches(lengths, sizes, options, epoch):
    plan = make(lengths, sizes, options)
    batches = plan.batches(epoch)
    rows, _, tokens = plan.sizes(batches)
    assert rows.tolist() == [len(indices) for indices in batches]
    assert tokens.tolist() == [np.array(lengths)[i].sum(axis=0).tolist() for i in batches]


def test_epochs_and_seeds_differ():
    lengths = np.random.default_rng(0).integers(1, 30, (500, 2))
    plans = [make(lengths, {"batch_size": 8}, {"seed": seed}) for seed in (0, 1)]
    orders = [str(as_lists(plan.batches(epoch))) for plan in plans for epoch in (0, 1)]
    assert len(set(orders)) == 4


def test_without_shuffling_every_epoch_is_the_same_and_sorted():
    lengths = np.random.default_rng(0).integers(1, 30, (500, 2))
    plan = make(lengths, {"batch_size": 8}, {"shuffle": False})
    order = np.concatenate(plan.batches(0))
    assert order.tolist() == np.concatenate(plan.batches(5)).tolist()
    assert (np.diff(lengths[order, 1]) >= 0).all()


def test_sorting_leaves_less_padding_than_chance():
    lengths = np.random.default_rng(0).integers(1, 60, (4000, 2))
    lengths[:, 1] = lengths[:, 0]

    def padded(pool_batches):
        plan = make(lengths, {"batch_size": 32}, {"pool_batches": pool_batches})
        batches = plan.batches(0)
        sizes = plan.sizes(batches)
        return (sizes.rows * sizes.widths.sum(axis=1)).sum() / lengths.sum()

    assert padded(64) < 1.06
    assert padded(64) < padded(4) < padded(1)


def test_another_process_makes_the_same_plan():
    program = (
        "import numpy as np\n"
        "from keras_bahdanau.training.data.batch_plan import BatchPlan\n"
        "lengths = np.arange(300) % 17 + 1\n"
        "plan = BatchPlan(lengths, lengths[::-1], tokens_per_batch=90, seed=7)\n"
        "text = str([indices.tolist() for indices in plan.batches(3)])\n"
    )
    run = [sys.executable, "-c", program + "print(text)"]
    there = subprocess.run(run, capture_output=True, text=True, check=True).stdout.strip()
    here = {}
    exec(program, here)
    assert there == here["text"]


def test_the_plan_needs_no_keras():
    program = (
        "import sys, keras_bahdanau.training.data.batch_plan\n"
        "import keras_bahdanau.training.data.tokenized_corpus\n"
        "sys.exit(bool({'keras', 'tensorflow'} & set(sys.modules)))"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


@pytest.mark.parametrize("sizes", [{}, {"batch_size": 2, "tokens_per_batch": 2}])
def test_one_size_must_be_given(sizes):
    with pytest.raises(ValueError, match="Exactly one of"):
        BatchPlan([1], [1], **sizes)


def test_wrong_arguments():
    with pytest.raises(ValueError, match=r"shapes \(2,\) and \(1,\)"):
        BatchPlan([1, 2], [1], batch_size=2)
    with pytest.raises(ValueError, match="`pool_batches` must be at least 1. Received: 0"):
        BatchPlan([1], [1], batch_size=2, pool_batches=0)


def make_random(count, **options):
    lengths = np.random.default_rng(0).integers(1, 30, (2, count))
    options = {"batch_size": 8, "pool_batches": 4, "seed": 1, **options}
    return BatchPlan(*lengths, **options)


POOLED = {"shuffled_pairs": 192, "block_pairs": 16}


def test_a_pool_is_made_of_blocks_from_everywhere():
    plan = make_random(4000, **POOLED)
    first = np.concatenate([plan.batches(0)[index] for index in range(24)])
    blocks = np.unique(first // 16)
    assert len(first) == 192 and len(blocks) == 12
    assert len(np.unique(blocks // 63)) > 2
    # The neighbours of a block do not stay together in their batches.
    assert (np.diff(first) == 1).mean() < 0.1


def test_pools_are_of_other_blocks_in_every_epoch():
    plan = make_random(4000, **POOLED)
    firsts = []
    for epoch in (0, 1):
        batches = plan.batches(epoch)
        firsts.append({int(i) for index in range(24) for i in batches[index]})
    assert len(firsts[0] & firsts[1]) < 100


def test_the_order_of_a_whole_shuffle_does_not_depend_on_the_size_of_blocks():
    plans = [
        make_random(500, shuffled_pairs=size, block_pairs=block)
        for size, block in ((500, 1), (9999, 64))
    ]
    first, second = (np.concatenate(list(plan.batches(2))).tolist() for plan in plans)
    assert first == second


def test_only_the_pool_that_is_asked_for_is_made(monkeypatch):
    batches = make_random(4000, **POOLED).batches(0)
    made = []
    make_pool = type(batches)._make_pool
    monkeypatch.setattr(
        type(batches),
        "_make_pool",
        lambda self, number: made.append(number) or make_pool(self, number),
    )
    assert len(batches) == 500
    assert made == []
    for index in (470, 471, 0, 1, 23, 24):
        assert len(batches[index]) == 8
    assert made == [19, 0, 1]


@pytest.mark.parametrize("size", [{}, {"batch_size": None, "tokens_per_batch": 100}])
def test_items_can_be_read_in_any_order(size):
    plan = make_random(1000, **POOLED, **size)
    whole = [indices.tolist() for indices in plan.batches(3)]
    fresh = make_random(1000, **POOLED, **size).batches(3)
    assert len(fresh) == len(whole)
    for index in np.random.default_rng(0).permutation(len(whole)):
        assert fresh[int(index)].tolist() == whole[index]


def test_without_shuffling_each_pool_is_sorted_and_holds_neighbours():
    plan = make_random(1000, shuffle=False, **POOLED)
    order = np.concatenate(list(plan.batches(0)))
    for start in range(0, 1000, 192):
        pool = order[start : start + 192]
        assert sorted(pool.tolist()) == list(range(start, min(start + 192, 1000)))
        assert (np.diff(plan.target_lengths[pool]) >= 0).all()


@pytest.mark.parametrize("index", [-1, 125])
def test_items_beyond_the_epoch(index):
    with pytest.raises(IndexError, match=f"has 125 batches. Received: {index}"):
        make_random(1000).batches(0)[index]
