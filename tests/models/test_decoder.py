import keras
import numpy as np
import pytest
from attention_oracle import (
    additive_attention,
    arrays_of,
    attentive_gru,
    gru_step,
    weights_by_name,
)

from keras_bahdanau import AttentionRNN, BahdanauAttention
from keras_bahdanau.models import Decoder
from keras_bahdanau.models.decoder import start_model

RANDOM = np.random.default_rng(4)
TARGET_IN_IDS = np.array([[2, 7, 4, 9], [2, 5, 0, 0]], dtype="int32")
MEMORY_MASK = np.array([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]], dtype=bool)
MEMORY = RANDOM.normal(size=(2, 5, 6)).astype("float32") * MEMORY_MASK[..., None]
ENCODER_STATE = RANDOM.normal(size=(2, 6)).astype("float32")
OPTIONS = [
    {},
    {"cell": "lstm"},
    {"order": "after"},
    {"num_layers": 2},
    {"num_layers": 2, "cell": "lstm", "order": "after", "tie_embeddings": "none"},
    {"order": "between"},
    {"order": "between", "cell": "lstm", "num_layers": 2},
]
VOCABULARY_SIZE, EMBEDDING_DIM, UNITS, ATTENTION_UNITS = 11, 4, 7, 3


def decoder_of(**options):
    sizes = {"embedding_dim": EMBEDDING_DIM, "units": UNITS, "attention_units": ATTENTION_UNITS}
    return Decoder(VOCABULARY_SIZE, 6, **{**sizes, "initializer_range": 0.5, **options})


def decode(decoder, target_in_ids=TARGET_IN_IDS, memory=MEMORY, mask=MEMORY_MASK, **inputs):
    start = decoder.start(memory, ENCODER_STATE)
    inputs = {
        "target_in_ids": target_in_ids,
        "memory": memory,
        "memory_mask": mask,
        **start,
        **inputs,
    }
    return arrays_of(decoder(keras.tree.map_structure(keras.ops.convert_to_tensor, inputs)))


def assert_same(first, second):
    for one, other in zip(keras.tree.flatten(first), keras.tree.flatten(second), strict=True):
        np.testing.assert_array_equal(one, other)


def test_equals_the_papers_equations():
    decoder = decoder_of()
    outputs = decode(decoder)
    bridge = decoder.start_model.get_layer("bridge_0")
    state = np.tanh(ENCODER_STATE @ arrays_of(bridge.kernel.value) + arrays_of(bridge.bias.value))
    embeddings = decoder.get_layer("target_embedding").get_weights()[0]
    embedded = embeddings[TARGET_IN_IDS]
    rnn, readout = decoder.get_layer("attention_rnn"), decoder.get_layer("readout")
    states, contexts, weights = attentive_gru(
        embedded,
        MEMORY,
        state,
        weights_by_name(rnn.cell),
        weights_by_name(rnn.attention),
        MEMORY_MASK,
    )
    both = np.concatenate([states, contexts, embedded], axis=-1)
    deep_output = np.tanh(both @ arrays_of(readout.kernel.value) + arrays_of(readout.bias.value))
    np.testing.assert_allclose(outputs["logits"], deep_output @ embeddings.T, atol=1e-5)
    np.testing.assert_allclose(outputs["attention_scores"], weights, atol=1e-5)
    np.testing.assert_allclose(outputs["states"][0], states[:, -1], atol=1e-5)


def test_between_is_the_conditional_gru():
    decoder = decoder_of(order="between")
    outputs = decode(decoder)
    state = arrays_of(decoder.start(MEMORY, ENCODER_STATE)["initial_state"][0])
    embedded = decoder.get_layer("target_embedding").get_weights()[0][TARGET_IN_IDS]
    cell = decoder.get_layer("attention_rnn").attention_cell
    parts = (cell.cell, cell.second_cell, cell.attention)
    first, second, attention = map(weights_by_name, parts)
    for i in range(TARGET_IN_IDS.shape[1]):
        query = gru_step(embedded[:, i], state, first)
        context, weights = additive_attention(
            query[:, None], MEMORY, attention, value_mask=MEMORY_MASK
        )
        state = gru_step(context[:, 0], query, second)
        np.testing.assert_allclose(outputs["attention_scores"][:, i], weights[:, 0], atol=1e-5)
    np.testing.assert_allclose(outputs["states"][0], state, atol=1e-5)


@pytest.mark.parametrize("options", OPTIONS)
def test_one_token_at_a_time_is_teacher_forcing(options):
    decoder = decoder_of(**options)
    outputs = decode(decoder)
    states = decoder.start(MEMORY, ENCODER_STATE)["initial_state"]
    for i in range(TARGET_IN_IDS.shape[1]):
        step = decode(decoder, TARGET_IN_IDS[:, i : i + 1], initial_state=states)
        states = step["states"]
        for name in ("logits", "attention_scores"):
            np.testing.assert_allclose(step[name][:, 0], outputs[name][:, i], atol=1e-5)
    for state, expected in zip(states, outputs["states"], strict=True):
        np.testing.assert_allclose(state, expected, atol=1e-5)


@pytest.mark.parametrize("options", OPTIONS)
def test_padding_of_source_and_target_changes_nothing(options):
    decoder = decoder_of(**options)
    outputs = decode(decoder)
    longer_memory = np.pad(MEMORY, [(0, 0), (0, 2), (0, 0)], constant_values=50.0)
    longer_mask = np.pad(MEMORY_MASK, [(0, 0), (0, 2)])
    longer_ids = np.pad(TARGET_IN_IDS, [(0, 0), (0, 3)])
    padded = decode(decoder, longer_ids, longer_memory, longer_mask)
    np.testing.assert_allclose(padded["logits"][:, :4], outputs["logits"], atol=1e-5)
    scores = padded["attention_scores"][:, :4]
    np.testing.assert_allclose(scores[..., :5], outputs["attention_scores"], atol=1e-6)
    np.testing.assert_allclose(scores.sum(-1), 1, atol=1e-6)
    assert not scores[~np.broadcast_to(longer_mask[:, None], scores.shape)].any()


def test_a_blank_source_gives_finite_logits_and_no_attention():
    outputs = decode(decoder_of(), mask=np.zeros_like(MEMORY_MASK))
    assert np.isfinite(outputs["logits"]).all() and not outputs["attention_scores"].any()


@pytest.mark.parametrize("options", OPTIONS)
def test_start_gives_the_keys_and_states_of_the_first_step(options):
    decoder = decoder_of(**options)
    rnn = decoder.get_layer("attention_rnn")
    start = decoder.start(MEMORY, ENCODER_STATE)
    np.testing.assert_array_equal(
        arrays_of(start["keys"]), arrays_of(rnn.attention.project_keys(MEMORY))
    )
    outputs = decode(decoder)
    assert [state.shape for state in start["initial_state"]] == [
        state.shape for state in outputs["states"]
    ]
    assert [state.shape[-1] for state in outputs["states"]] == [
        *rnn.attention_cell.recurrent_state_size
    ]


def test_tied_embeddings_save_the_output_matrix():
    tied, untied = decoder_of(), decoder_of(tie_embeddings="none")
    output_weights = EMBEDDING_DIM * VOCABULARY_SIZE + VOCABULARY_SIZE
    assert untied.count_params() - tied.count_params() == output_weights
    assert decode(untied)["logits"].shape == decode(tied)["logits"].shape == (2, 4, 11)
    wide = decoder_of(tie_embeddings="none", readout_units=9)
    assert wide.get_layer("readout").units == 9


@pytest.mark.parametrize("options", [*OPTIONS, {"dropout": 0.1, "attention_dropout": 0.2}])
def test_config_and_file_rebuild_the_same_decoder_with_its_start(options, tmp_path):
    decoder = decoder_of(**options, name="writer")
    rebuilt = Decoder.from_config(decoder.get_config())
    rebuilt.set_weights(decoder.get_weights())
    decoder.save(tmp_path / "decoder.keras")
    loaded = keras.saving.load_model(tmp_path / "decoder.keras")
    for other in (rebuilt, loaded):
        assert type(other) is Decoder
        assert other.get_config() == decoder.get_config()
        assert_same(
            arrays_of(other.start(MEMORY, ENCODER_STATE)),
            arrays_of(decoder.start(MEMORY, ENCODER_STATE)),
        )
        assert_same(decode(other), decode(decoder))


@pytest.mark.parametrize("options", OPTIONS)
def test_steps_are_calls_with_one_token(options):
    decoder = decoder_of(**options)
    start = decoder.start(MEMORY, ENCODER_STATE)
    states, expected = start["initial_state"], {"states": start["initial_state"]}
    seen = [*map(keras.ops.convert_to_tensor, (MEMORY, MEMORY_MASK)), start["keys"]]
    for i in range(TARGET_IN_IDS.shape[1]):
        token_ids = keras.ops.convert_to_tensor(TARGET_IN_IDS[:, i])
        logits, states, attention_scores = decoder.step(
            token_ids, states, *seen, decoder.output_kernel()
        )
        expected = decode(decoder, TARGET_IN_IDS[:, i : i + 1], initial_state=expected["states"])
        np.testing.assert_allclose(arrays_of(logits), expected["logits"][:, 0], atol=1e-5)
        scores = expected["attention_scores"][:, 0]
        np.testing.assert_allclose(arrays_of(attention_scores), scores, atol=1e-5)
    for one, other in zip(arrays_of(states), expected["states"], strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)


def test_loads_a_config_from_before_layer_normalization_went():
    config = decoder_of(order="between").get_config()
    decoder = Decoder.from_config({**config, "attention_normalization": "none"})
    assert decoder.get_config() == config
    with pytest.raises(ValueError, match="`layer_normalization`.*attention_normalization='layer'"):
        Decoder.from_config({**config, "attention_normalization": "layer"})


@pytest.mark.parametrize("tie_embeddings", ["none", "target"])
@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_logits_are_float32_under_mixed_precision(policy, tie_embeddings):
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        decoder = decoder_of(tie_embeddings=tie_embeddings)
        outputs = decode(decoder)
    finally:
        keras.config.set_dtype_policy(before)
    assert decoder.output["logits"].dtype == "float32"
    assert outputs["logits"].dtype == "float32"
    assert np.isfinite(outputs["logits"]).all()


@pytest.mark.parametrize(
    "options, message",
    [
        ({"units": 0}, "`units` must be a positive integer.*units=0"),
        ({"attention_units": 0}, "`attention_units` must be a positive integer.*=0"),
        ({"readout_units": -1}, "`readout_units` must be a positive integer.*=-1"),
        ({"memory_dim": None}, "`memory_dim` must be a positive integer.*=None"),
        ({"cell": "rnn"}, r"`cell` must be one of \('gru', 'lstm'\).*cell=rnn"),
        ({"order": "during"}, r"`order` must be one of \('before', 'after', 'be.*'during'"),
        ({"tie_embeddings": "all"}, r"`tie_embeddings` must be one of \('none', 'target'\).*'all'"),
        ({"dropout": 1}, r"`dropout` must be in the range \[0, 1\).*dropout=1"),
        ({"attention_dropout": 2}, r"`attention_dropout` must be in the range.*=2"),
        ({"readout_units": 9}, "`readout_units` must equal `embedding_dim`.*readout_units=9"),
    ],
)
def test_wrong_arguments(options, message):
    with pytest.raises(ValueError, match=message):
        Decoder(**{"vocabulary_size": 10, "memory_dim": 6, **options})


@pytest.mark.parametrize("order", ["before", "after"])
def test_start_has_keys_of_the_attention_and_a_bridge_for_each_state(order):
    rnn = AttentionRNN(keras.layers.LSTMCell(4), BahdanauAttention(3), order=order)
    rnn.build((None, None, 2), (None, None, 6))
    model = start_model(rnn, memory_dim=6, initializer_range=0.5)
    start = arrays_of(model({"memory": MEMORY, "encoder_state": ENCODER_STATE}))
    np.testing.assert_array_equal(start["keys"], arrays_of(rnn.project_keys(MEMORY)))
    widths = rnn.attention_cell.recurrent_state_size
    assert [state.shape for state in start["initial_state"]] == [(2, width) for width in widths]
    for index, state in enumerate(start["initial_state"]):
        kernel, bias = model.get_layer(f"bridge_{index}").get_weights()
        np.testing.assert_allclose(state, np.tanh(ENCODER_STATE @ kernel + bias), atol=1e-6)


def test_start_shares_the_weights_of_the_attention_and_is_not_saved_alone(tmp_path):
    rnn = AttentionRNN(keras.layers.GRUCell(4), BahdanauAttention(3))
    rnn.build((None, None, 2), (None, None, 6))
    model = start_model(rnn, memory_dim=6, initializer_range=0.5)
    shared = {id(weight) for weight in rnn.weights} & {id(weight) for weight in model.weights}
    assert shared == {id(weight) for weight in rnn.attention.weights}
    with pytest.raises(NotImplementedError, match="with which the model `start` is saved"):
        model.save(tmp_path / "start.keras")
