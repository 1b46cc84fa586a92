import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from toy_corpus import random_pieces

from keras_bahdanau.training.data.batch_plan import BatchPlan
from keras_bahdanau.training.data.batches import Batches, dataset_of
from keras_bahdanau.training.data.corpus_writer import build_corpus

PIECES = st.lists(st.integers(4, 19), max_size=8)


def build(directory, pairs):
    return build_corpus(directory, pairs, end_id=3, max_length=64, vocabulary_size=20)


def make_plan(corpus, **options):
    options = {"batch_size": 4, "seed": 1, "pool_batches": 4, **options}
    return BatchPlan(corpus.source_lengths, corpus.target_lengths, **options)


@pytest.fixture
def corpus(tmp_path):
    pairs = random_pieces(62)
    return build(tmp_path / "corpus", pairs)


def equal(left, right):
    return all(
        a.shape == b.shape and a.dtype == b.dtype and (a == b).all()
        for a, b in zip(keras.tree.flatten(left), keras.tree.flatten(right), strict=True)
    )


@settings(deadline=None, max_examples=25)
@given(pairs=st.lists(st.tuples(PIECES, PIECES), min_size=1, max_size=30))
def test_batches_hold_the_corpus(tmp_path_factory, pairs):
    corpus = build(tmp_path_factory.mktemp("batches") / "corpus", pairs)
    batches = Batches(corpus, make_plan(corpus), epoch=2)
    received, padding, positions = [], 0, 0
    for index in range(len(batches)):
        inputs, target_out_ids, sample_weight = batches[index]
        for array in (inputs["source_ids"], inputs["target_in_ids"], target_out_ids):
            assert array.dtype == np.int32
            padding, positions = padding + (array == 0).sum(), positions + array.size
        assert sample_weight.dtype == np.float32
        assert ((target_out_ids != 0) == sample_weight).all()
        assert ((inputs["target_in_ids"] != 0) == sample_weight).all()
        assert sample_weight.sum() == batches.tokens[index]
        for source, start, out in zip(
            inputs["source_ids"], inputs["target_in_ids"], target_out_ids, strict=True
        ):
            source, start, out = (ids[ids != 0].tolist() for ids in (source, start, out))
            assert start[0] == 2 and source[-1] == out[-1] == 3
            assert start[1:] == out[:-1]
            received.append((source[:-1], out[:-1]))
    assert sorted(received) == sorted(pairs)
    assert 0 <= batches.padding_share < 1


def test_padding_share_counts_both_sides(corpus):
    batches = Batches(corpus, make_plan(corpus))
    sides = [ids for batch in batches for ids in (batch[0]["source_ids"], batch[1])]
    padding = sum((ids == 0).sum() for ids in sides) / sum(ids.size for ids in sides)
    assert batches.padding_share == pytest.approx(padding)


def test_rows_of_padding_stand_below_and_weigh_nothing(corpus):
    plain = Batches(corpus, make_plan(corpus))
    few = Batches(corpus, make_plan(corpus, few_shapes=True, length_multiple=16))
    assert few.shapes == {(4, 16, 16)}
    assert (few.tokens == plain.tokens).all()
    # 62 pairs make a last batch of 2.
    assert sorted(len(batch[1]) for batch in plain)[:2] == [2, 4]
    for batch, padded in zip(plain, few, strict=True):
        for array, longer in zip(
            keras.tree.flatten(batch), keras.tree.flatten(padded), strict=True
        ):
            rows, columns = array.shape
            assert longer.shape == (4, 16) and longer.dtype == array.dtype
            assert (longer[:rows, :columns] == array).all()
            assert longer.sum() == array.sum()


def test_items_know_their_lines(corpus):
    batches = Batches(corpus, make_plan(corpus), start=3)
    lines = np.concatenate([batches.line_numbers(index) for index in range(len(batches))])
    sources = [ids[ids > 3].tolist() for batch in batches for ids in batch[0]["source_ids"]]
    # The lines of a corpus that was written without line numbers are counted from 1.
    assert sources == [corpus.source(line - 1)[:-1].tolist() for line in lines]


SIZES = [
    {"batch_size": 4},
    {"batch_size": None, "tokens_per_batch": 40},
    {"batch_size": 4, "pool_batches": 1, "shuffled_pairs": 20, "block_pairs": 3},
]


@pytest.mark.parametrize("size", SIZES)
def test_a_later_start_gives_the_rest_of_the_same_epoch(corpus, size):
    plan = make_plan(corpus, **size)
    whole = Batches(corpus, plan, epoch=3)
    assert whole.ends_epoch
    for start in range(len(whole)):
        rest = Batches(corpus, plan, epoch=3, start=start)
        assert len(rest) == len(whole) - start
        assert all(equal(rest[index], whole[start + index]) for index in range(len(rest)))


@pytest.mark.parametrize("parts", [1, 2, 3, 15, 16, 17, 40])
def test_the_parts_of_an_epoch_are_the_whole_of_it_and_of_almost_equal_size(corpus, parts):
    plan = make_plan(corpus)
    whole = Batches(corpus, plan, epoch=3)
    items, sizes, start = [], [], 0
    while start < len(whole):
        part = Batches(corpus, plan, epoch=3, start=start, parts=parts)
        items += [part[index] for index in range(len(part))]
        sizes.append(len(part))
        start = part.stop
        assert part.ends_epoch == (start == len(whole))
        assert part.tokens.tolist() == whole.tokens[start - len(part) : start].tolist()
        # One that was interrupted ends where it would have ended.
        assert Batches(corpus, plan, epoch=3, start=start - 1, parts=parts).stop == start
    assert all(map(equal, items, (whole[index] for index in range(len(whole)))))
    assert len(sizes) == min(parts, len(whole))
    assert max(sizes) - min(sizes) <= 1


def test_a_start_beyond_the_epoch_is_refused(corpus):
    with pytest.raises(ValueError, match="below 16.*Received: start=16"):
        Batches(corpus, make_plan(corpus), start=16)


class Record(keras.layers.Layer):
    """Passes its input on and notes each time that it is traced."""

    def __init__(self):
        super().__init__()
        self.shapes = []

    def call(self, inputs):
        self.shapes.append(tuple(inputs.shape))
        return inputs


def make_model():
    keras.utils.set_random_seed(0)
    source = keras.Input((None,), dtype="int32", name="source_ids")
    target = keras.Input((None,), dtype="int32", name="target_in_ids")
    embedding = keras.layers.Embedding(20, 6)
    memory = keras.layers.GlobalAveragePooling1D()(embedding(source))
    record = Record()
    states = record(keras.layers.SimpleRNN(6, return_sequences=True)(embedding(target)))
    states = keras.layers.Dropout(0.2)(keras.ops.expand_dims(memory, 1) + states)
    logits = keras.layers.Dense(20)(states)
    model = keras.Model({"source_ids": source, "target_in_ids": target}, logits)
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    # Otherwise TensorFlow traces the first step twice, for the variables made in it.
    model.optimizer.build(model.trainable_variables)
    record.shapes.clear()
    return model, record


class StopAfter(keras.callbacks.Callback):
    """Stops in the middle of an epoch, as an interruption does."""

    def __init__(self, steps):
        super().__init__()
        self.steps = steps

    def on_train_batch_end(self, batch, logs=None):
        self.model.stop_training = batch + 1 == self.steps


def train(model, batches, **options):
    epoch = batches.epoch
    model.fit(batches, initial_epoch=epoch, epochs=epoch + 1, shuffle=False, verbose=0, **options)


def variables(model):
    return [*model.variables, *model.optimizer.variables]


@pytest.mark.parametrize(
    "done", [7, *(pytest.param(done, marks=pytest.mark.slow) for done in (1, 15))]
)
def test_a_resumed_run_ends_with_the_weights_of_an_uninterrupted_one(corpus, done):
    plan = make_plan(corpus)
    whole, _ = make_model()
    for epoch in range(2):
        train(whole, Batches(corpus, plan, epoch=epoch))

    stopped, _ = make_model()
    train(stopped, Batches(corpus, plan, epoch=0), callbacks=[StopAfter(done)])
    assert int(stopped.optimizer.iterations) == done

    resumed, _ = make_model()
    # `variables`, because the dropout's random state is not among the weights.
    for variable, value in zip(variables(resumed), variables(stopped), strict=True):
        variable.assign(value)
    train(resumed, Batches(corpus, plan, epoch=0, start=done))
    train(resumed, Batches(corpus, plan, epoch=1))

    for left, right in zip(variables(resumed), variables(whole), strict=True):
        np.testing.assert_array_equal(left, right)


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="only TensorFlow traces")
def test_all_shapes_share_one_trace(corpus):
    model, record = make_model()
    plan = make_plan(corpus)
    train(model, Batches(corpus, plan, epoch=0))
    train(model, Batches(corpus, plan, epoch=1, start=9))
    train(model, Batches(corpus, plan, epoch=2, start=15))
    train(model, Batches(corpus, plan, epoch=3))
    assert record.shapes == [(None, None, 6)]


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="only TensorFlow traces")
def test_an_epoch_entered_at_its_last_batch_does_not_fix_the_shape(corpus):
    model, record = make_model()
    plan = make_plan(corpus)
    train(model, Batches(corpus, plan, epoch=0, start=15))
    train(model, Batches(corpus, plan, epoch=1))
    train(model, Batches(corpus, plan, epoch=2))
    assert len(record.shapes) == 2
    assert int(model.optimizer.iterations) == 1 + 16 + 16


def test_neighbours_of_equal_lengths_do_not_fix_a_dimension(tmp_path):
    short, long = ([5] * 3, [6] * 3), ([5] * 9, [6] * 9)
    corpus = build(tmp_path / "equal", [short] * 8 + [long] * 8)
    plan = make_plan(corpus)
    for start in range(len(plan.batches(0))):
        model, _ = make_model()
        train(model, Batches(corpus, plan, start=start))
        assert int(model.optimizer.iterations) == 4 - start


@pytest.fixture
def batches(tmp_path):
    pairs = random_pieces(30)
    corpus = build_corpus(tmp_path / "corpus", pairs, end_id=3, max_length=64, vocabulary_size=20)
    plan = BatchPlan(corpus.source_lengths, corpus.target_lengths, batch_size=4)
    return Batches(corpus, plan, start=2)


def test_items_are_those_of_the_batches_in_order(batches):
    made = []

    def generate():
        for index in range(len(batches)):
            made.append(index)
            yield batches[index]

    received = list(dataset_of(generate).as_numpy_iterator())
    assert made == list(range(len(batches)))
    assert len(received) == len(batches)
    for index, item in enumerate(received):
        keras.tree.assert_same_structure(item, batches[index])
        for one, other in zip(
            keras.tree.flatten(item), keras.tree.flatten(batches[index]), strict=True
        ):
            np.testing.assert_array_equal(one, other)
            assert one.dtype == other.dtype


def test_nothing_tunes_itself_and_every_shape_fits_the_signature(batches):
    dataset = dataset_of(lambda: iter([batches[0]]))
    assert dataset.options().autotune.enabled is False
    assert all(
        spec.shape.as_list() == [None, None] for spec in keras.tree.flatten(dataset.element_spec)
    )
