"""Parity of `AttentionRNN` and `AttentionCell` with TensorFlow Addons' `AttentionWrapper`."""

import json

import keras
import numpy as np
import pytest
from addons_arrays import assert_close, cases, mask_of, under

from keras_bahdanau import AttentionCell, AttentionRNN
from keras_bahdanau.layers import attention_from_addons

WRAPPER = cases("attention_wrapper")
SUFFIX = "/.ATTRIBUTES/VARIABLE_VALUE"


def converted_wrapper(case, rnn=AttentionRNN, **arguments):
    """The `AttentionRNN` (or `AttentionCell`) of a case, its memories, masks and initial state."""
    arrays = WRAPPER[case]
    weights = {
        name.removesuffix(SUFFIX): array
        for name, array in under(arrays, "weights/decoder/").items()
    }
    attentions = [
        attention_from_addons(
            json.loads(str(config)), under(weights, f"_attention_mechanisms/{i}/")
        )
        for i, config in under(arrays, "config/").items()
    ]
    kernels = list(under(weights, "_attention_layers/").values())
    layers = [keras.layers.Dense(kernel.shape[1], use_bias=False) for kernel in kernels]
    memories = list(under(arrays, "memory/").values())
    masks = [mask_of(arrays["lengths"], memory) for memory in memories]
    cell_class = keras.layers.LSTMCell if "lstm" in case else keras.layers.GRUCell
    cell = cell_class(weights["_cell/recurrent_kernel"].shape[0])
    attention, memory, mask, layer = attentions, memories, masks, layers
    if len(attentions) == 1:
        attention, memory, mask = attentions[0], memories[0], masks[0]
        layer = layers[0] if layers else None
    wrapper = rnn(cell, attention, order="after", attention_layer=layer, **arguments)
    step_shape = (len(arrays["inputs"]), arrays["inputs"].shape[-1])
    wrapper.build(step_shape, keras.tree.map_structure(np.shape, memory))
    cell.set_weights([weights[f"_cell/{name}"] for name in ("kernel", "recurrent_kernel", "bias")])
    for each, kernel in zip(layers, kernels, strict=True):
        each.set_weights([kernel])
    return wrapper, memory, mask, list(under(arrays, "initial_state/").values())


def assert_states_close(states, arrays):
    expected = [*under(arrays, "final_state/").values(), arrays["final_attention"]]
    if len(states) > len(expected):
        # The attention state of the monotonic one of two mechanisms.
        expected.append(arrays["alignments/1"][:, -1])
    for state, array in zip(states, expected, strict=True):
        assert_close(state, array)


@pytest.mark.parametrize("case", WRAPPER)
def test_attention_rnn_is_the_attention_wrapper(case):
    arrays = WRAPPER[case]
    decoder, memories, masks, initial_state = converted_wrapper(case)
    outputs, contexts, weights, states = decoder(
        arrays["inputs"], memories, memory_mask=masks, initial_state=initial_state
    )
    assert_close(contexts, arrays["attentions"])
    assert_close(outputs if "cell_output" in case else contexts, arrays["outputs"])
    weights = weights if isinstance(weights, list) else [weights]
    for i, each in enumerate(weights):
        assert_close(each, arrays[f"alignments/{i}"])
        # Time comes first in TensorFlow Addons' history.
        assert_close(each, np.swapaxes(arrays[f"alignment_history/{i}"], 0, 1))
    assert_states_close(states, arrays)


@pytest.mark.parametrize("case", WRAPPER)
def test_one_step_after_the_other_is_the_attention_wrapper(case):
    arrays = WRAPPER[case]
    decoder, memories, masks, states = converted_wrapper(case)
    keys = decoder.project_keys(memories)
    for i in range(arrays["inputs"].shape[1]):
        _, context, _, states = decoder(
            arrays["inputs"][:, i], memories, memory_mask=masks, keys=keys, initial_state=states
        )
        assert_close(context, arrays["attentions"][:, i])
    assert_states_close(states, arrays)


@pytest.mark.parametrize("case", [case for case in WRAPPER if case != "two_mechanisms"])
def test_attention_cell_in_a_recurrent_layer_is_the_attention_wrapper(case):
    arrays = WRAPPER[case]
    output = "cell" if "cell_output" in case else "attention"
    cell, memory, mask, state = converted_wrapper(case, rnn=AttentionCell, output=output)
    states = cell.initial_states(memory, memory_mask=mask, initial_state=state)
    loop = keras.layers.RNN(cell, return_sequences=True, return_state=True)
    outputs, *states = loop(arrays["inputs"], initial_state=states)
    assert_close(outputs, arrays["outputs"])
    assert_states_close(states[:-3], arrays)
