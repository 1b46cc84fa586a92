import keras
import numpy as np
import pytest

from keras_bahdanau.layers import (
    BahdanauAttention,
    CoverageAttention,
    LocationSensitiveAttention,
    MonotonicAttention,
    MonotonicChunkwiseAttention,
)

QUERY = np.ones((2, 3), "float32")
VALUE = np.ones((2, 5, 4), "float32")
FAMILY = {
    "plain": BahdanauAttention,
    "location": LocationSensitiveAttention,
    "coverage": CoverageAttention,
    "monotonic": MonotonicAttention,
    "chunkwise": lambda units, **kwargs: MonotonicChunkwiseAttention(units, 2, **kwargs),
}
STATES = {
    "plain": [],
    "location": ["cumulative_weights", "previous_weights"],
    "coverage": ["coverage"],
    "monotonic": ["previous_weights"],
    "chunkwise": ["previous_weights"],
}


@pytest.fixture(params=FAMILY)
def name(request):
    return request.param


@pytest.mark.parametrize("units", [0, -1, 1.5, True, None, "3"])
def test_units(name, units):
    with pytest.raises(
        ValueError, match=f"`units` must be a positive integer. Received: units={units}"
    ):
        FAMILY[name](units)


@pytest.mark.parametrize("temperature", [0, -1.0, float("inf"), float("nan"), None])
def test_temperature(name, temperature):
    with pytest.raises(ValueError, match="`temperature` must be a positive number. Received"):
        FAMILY[name](3, temperature=temperature)


@pytest.mark.parametrize("dropout", [1, -0.1])
def test_dropout(name, dropout):
    with pytest.raises(ValueError, match=r"`dropout` must be in the range \[0, 1\). Received"):
        FAMILY[name](3, dropout=dropout)


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"value_mask": np.ones((2, 4), bool)}, r"`value_mask` .*\(2, 5\).*shape=\(2, 4\)"),
        ({"value_mask": np.ones((2, 1, 5), bool)}, r"`value_mask` .*shape=\(2, 1, 5\)"),
        ({"value_mask": np.ones((2, 5), "int32")}, "`value_mask` to be a bool .*dtype=int32"),
        ({"query_mask": np.ones((2, 1), bool)}, r"`query_mask` .*\(2,\).*shape=\(2, 1\)"),
        ({"query_mask": np.ones(2, "float32")}, "`query_mask` to be a bool .*dtype=float32"),
        ({"query": QUERY[:1]}, r"same batch size.*\(1, 3\).*\(2, 5, 4\)"),
        ({"query": QUERY[0]}, r"`query` of shape \(batch_size, query_dim\).*\(3,\)"),
        (
            {"value": VALUE[0]},
            r"`value` of shape \(batch_size, value_length, value_dim\).*\(5, 4\)",
        ),
        ({"query": QUERY[:, :2]}, r"for `query` of width 3. Received: query.shape=\(2, 2\)"),
        ({"value": VALUE[..., :3]}, r"for `value` of width 4. Received: value.shape=\(2, 5, 3\)"),
        ({"key": VALUE[:, :4]}, r"`key` of shape .*key.shape=\(2, 4, 4\)"),
        ({"key": VALUE[..., :2]}, r"for `key` of width 4. Received: key.shape=\(2, 5, 2\)"),
        ({"keys": VALUE[..., :1]}, r"`keys` of shape \(2, 5, \d\).*keys.shape=\(2, 5, 1\)"),
        ({"key": VALUE, "keys": VALUE}, "either `key` .* or `keys` .*Received both"),
    ],
)
def test_arguments_that_do_not_fit(name, arguments, message):
    layer = FAMILY[name](3)
    layer(QUERY, VALUE)
    with pytest.raises(ValueError, match=message):
        layer(**{"query": QUERY, "value": VALUE, **arguments})


def test_missing_dimensions(name):
    for query, value in ((keras.Input((None,)), VALUE), (QUERY, keras.Input((5, None)))):
        with pytest.raises(ValueError, match="last dimension of `query` and `value` must be known"):
            FAMILY[name](3)(query, value)


@pytest.mark.parametrize("other", FAMILY)
def test_the_attention_state_of_another_layer(name, other):
    layer = FAMILY[name](3)
    state = {each: np.zeros((2, 5), "float32") for each in STATES[other]}
    if STATES[name] == STATES[other]:
        layer(QUERY, VALUE, attention_state=state)
        return
    with pytest.raises(ValueError, match="`attention_state` to be what this layer returned"):
        layer(QUERY, VALUE, attention_state=state)


def test_the_attention_state_of_another_memory(name):
    state = {each: np.zeros((2, 6), "float32") for each in STATES[name]}
    if state:
        with pytest.raises(ValueError, match=r"\(2, 5\).*Received: .*\(2, 6\)"):
            FAMILY[name](3)(QUERY, VALUE, attention_state=state)
    with pytest.raises(ValueError, match="`attention_state` to be what this layer returned"):
        FAMILY[name](3)(QUERY, VALUE, attention_state=np.zeros((2, 5), "float32"))
