import keras
import numpy as np
import pytest
from attention_oracle import arrays_of
from keras import ops
from on_backend import compiled, value_and_gradients

from keras_bahdanau.backend.loops import ROW_MULTIPLE, round_up
from keras_bahdanau.time_loop.packed_sequence import PackedSequence
from keras_bahdanau.time_loop.scan import scan

RANDOM = np.random.default_rng(6)
MASKS = {
    "whole": [[1, 1, 1], [1, 1, 1]],
    "padded": [[1, 0, 0, 0], [1, 1, 1, 1], [1, 1, 0, 0]],
    "equal lengths": [[1, 1, 0], [1, 1, 0], [1, 1, 0]],
    "holes": [[0, 1, 0, 1, 1], [1, 0, 0, 0, 1], [0, 0, 0, 0, 1]],
    "an empty row": [[0, 0], [1, 0], [1, 1]],
    "nothing": [[0, 0], [0, 0]],
    "many rows": np.arange(11) < np.arange(1, 12)[:, None],
    "more rows": np.arange(9) < 1 + np.arange(48)[:, None] % 9,
}
BACKEND = keras.backend.backend()
# How often the loop runs depends on the mask, so `torch.compile` does not apply.
COMPILES = [None] if BACKEND == "torch" else [None, compiled]


def mask_of(name):
    return np.array(MASKS[name], dtype=bool)


def sequence_of(mask):
    return RANDOM.normal(size=(*mask.shape, 3)).astype("float32")


def step(inputs, states, constants, matmul=None):
    """Two states and a constant, all of different widths, in an order that matters."""
    first, second = states
    scale, shift = constants
    first = ops.tanh(inputs + 0.5 * first * scale)
    second = 0.9 * second + ops.sum(first, axis=-1, keepdims=True) + shift["shift"]
    return ops.concatenate([first, second], axis=-1), [first, second]


def constants_and_states(batch_size):
    widths = (1, 2, 3, 2)
    scale, shift, first, second = (
        RANDOM.normal(size=(batch_size, width)).astype("float32") for width in widths
    )
    return (scale, {"shift": shift}), [first, second]


def alone(sequence, states, constants, mask):
    """The definition: each row by itself, one after the other of its elements that count."""
    outputs = np.zeros((*mask.shape, 5))
    states = [np.array(state) for state in states]
    for row, column in np.argwhere(mask):
        one = slice(row, row + 1)
        scale, shift = constants
        given = (
            sequence[one, column],
            [s[one] for s in states],
            (scale[one], {"shift": shift["shift"][one]}),
        )
        output, new_states = step(*keras.tree.map_structure(ops.convert_to_tensor, given))
        outputs[row, column] = arrays_of(output)[0]
        for state, new in zip(states, new_states, strict=True):
            state[one] = arrays_of(new)
    return outputs, states


def test_rounded_numbers_are_few_and_near():
    counts = np.arange(0, 10_000, 7)
    rounded = np.array([int(round_up(ops.convert_to_tensor(n, "int32"))) for n in counts])
    assert not (rounded % ROW_MULTIPLE).any()
    assert (counts <= rounded).all() and (rounded < counts + np.maximum(8, counts / 32)).all()
    for least in (128, 512, 4096):
        octave = rounded[(rounded > least) & (rounded <= 2 * least)]
        assert 0 < len(set(octave)) <= 32


@pytest.mark.parametrize("name", MASKS)
def test_packing_takes_last_elements_first_and_comes_back(name):
    mask = mask_of(name)
    sequence = sequence_of(mask)
    packed = PackedSequence(ops.convert_to_tensor(mask))
    elements = arrays_of(packed.pack(ops.convert_to_tensor(sequence)))
    counts, sizes = arrays_of(packed.counts), arrays_of(packed.sizes)
    lengths = mask.sum(axis=1)
    steps = np.arange(max(lengths.max(), 1))[::-1]
    np.testing.assert_array_equal(counts, [(lengths > step).sum() for step in steps])
    fewest = np.minimum(-(-counts // ROW_MULTIPLE) * ROW_MULTIPLE, len(mask))
    assert (fewest <= sizes).all() and (sizes <= len(mask)).all()
    whole = ops.convert_to_numpy(round_up(ops.convert_to_tensor(sum(fewest), dtype="int32")))
    assert sum(sizes) == min(whole, len(mask) * len(sizes))
    by_length = sequence[arrays_of(packed.order)]
    kept = mask[arrays_of(packed.order)]
    assert list(kept.sum(axis=1)) == sorted(lengths, reverse=True)
    start = 0
    for step, count, size in zip(steps, counts, sizes, strict=True):
        expected = [by_length[row][kept[row]][step] for row in range(count)]
        here = elements[start : start + size]
        np.testing.assert_array_equal(here[:count], np.reshape(expected, (count, 3)))
        assert not here[count:].any()
        start += size
    assert start == len(elements)
    unpacked = arrays_of(packed.unpack(ops.convert_to_tensor(elements)))
    np.testing.assert_array_equal(unpacked, np.where(mask[..., None], sequence, 0))


@pytest.mark.parametrize("pack", [False, True])
@pytest.mark.parametrize("name", MASKS)
def test_every_row_goes_over_its_own_elements(name, pack):
    mask = mask_of(name)
    sequence, (constants, states) = sequence_of(mask), constants_and_states(len(mask))
    tensors = keras.tree.map_structure(ops.convert_to_tensor, (sequence, states, constants, mask))
    outputs, last = scan(step, *tensors, pack=pack)
    expected_outputs, expected_last = alone(sequence, states, constants, mask)
    np.testing.assert_allclose(arrays_of(outputs), expected_outputs, atol=1e-5)
    for state, expected in zip(arrays_of(last), expected_last, strict=True):
        np.testing.assert_allclose(state, expected, atol=1e-5)


@pytest.mark.parametrize("compile", COMPILES)
@pytest.mark.parametrize("name", ["padded", "holes", "many rows"])
def test_gradients_are_those_of_computing_everything(name, compile):
    mask = mask_of(name)
    sequence, ((scale, shift), states) = sequence_of(mask), constants_and_states(len(mask))
    probe = RANDOM.normal(size=(*mask.shape, 5)).astype("float32")

    def loss(pack):
        def function(sequence, scale, shift, *states):
            outputs, last = scan(
                step,
                sequence,
                list(states),
                (scale, {"shift": shift}),
                ops.convert_to_tensor(mask),
                pack=pack,
            )
            return ops.sum(outputs * ops.convert_to_tensor(probe)) + sum(
                ops.sum(state**2) for state in last
            )

        return function

    arrays = [sequence, scale, shift["shift"], *states]
    expected, expected_gradients = value_and_gradients(loss(False), arrays)
    value, gradients = value_and_gradients(loss(True), arrays, compile=compile)
    np.testing.assert_allclose(value, expected, rtol=1e-5)
    for gradient, expected_gradient in zip(gradients, expected_gradients, strict=True):
        np.testing.assert_allclose(gradient, expected_gradient, atol=1e-5)


@pytest.mark.parametrize("name", MASKS)
def test_nothing_but_a_round_number_of_rows_is_computed(name):
    mask = mask_of(name)
    rows = []

    def counting(inputs, states, constants, matmul):
        rows.append(inputs.shape[0])
        return step(inputs, states, constants)

    constants, states = constants_and_states(len(mask))
    tensors = (sequence_of(mask), states, constants, mask)
    tensors = keras.tree.map_structure(ops.convert_to_tensor, tensors)
    scan(counting, *tensors, pack=True)
    if BACKEND == "jax":
        # It has to know how many rows run, so all of them do.
        assert set(rows) == {len(mask)}
    else:
        assert rows == arrays_of(PackedSequence(tensors[-1]).sizes).tolist()[::-1]


@pytest.mark.parametrize("pack", [False, True])
def test_several_sequences_are_split_again_at_each_step(pack):
    mask = mask_of("holes")
    sequence, (constants, states) = sequence_of(mask), constants_and_states(len(mask))
    parts = {"first": sequence[..., :1], "none": None, "rest": [sequence[..., 1:]]}

    def joining(inputs, states, constants, matmul):
        assert inputs["none"] is None
        joined = ops.concatenate([inputs["first"], *inputs["rest"]], axis=-1)
        return step(joined, states, constants)

    tensors = keras.tree.map_structure(
        lambda x: None if x is None else ops.convert_to_tensor(x),
        [sequence, parts, (states, constants, mask)],
    )
    expected = scan(step, tensors[0], *tensors[2], pack=pack)
    received = scan(joining, tensors[1], *tensors[2], pack=pack)
    for first, second in zip(*map(keras.tree.flatten, (received, expected)), strict=True):
        np.testing.assert_array_equal(arrays_of(first), arrays_of(second))


@pytest.mark.parametrize("pack", [False, True])
def test_without_states(pack):
    mask = mask_of("holes")
    sequence = sequence_of(mask)
    outputs, states = scan(
        lambda inputs, states, constants, matmul: (2 * inputs, []),
        ops.convert_to_tensor(sequence),
        [],
        mask=ops.convert_to_tensor(mask),
        pack=pack,
    )
    np.testing.assert_allclose(arrays_of(outputs), np.where(mask[..., None], 2 * sequence, 0))
    assert states == []
