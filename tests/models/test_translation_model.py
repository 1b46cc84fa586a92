import keras
import numpy as np
import pytest
from attention_oracle import arrays_of

from keras_bahdanau.models import TranslationModel

SOURCE_IDS = np.array([[4, 7, 2, 9, 3], [5, 3, 0, 0, 0]], dtype="int32")
TARGET_IN_IDS = np.array([[2, 7, 4, 9], [2, 5, 0, 0]], dtype="int32")
INPUTS = {"source_ids": SOURCE_IDS, "target_in_ids": TARGET_IN_IDS}
OPTIONS = [
    {},
    {"num_layers": 2, "cell": "lstm", "order": "after", "tie_embeddings": "none"},
    {"tie_embeddings": "all", "order": "between"},
    {"attention": "none", "cell": "lstm"},
    {"readout_units": 9, "tie_embeddings": "none", "pad_id": 1},
]


def model_of(**options):
    sizes = {
        "embedding_dim": 5,
        "encoder_units": 3,
        "decoder_units": 6,
        "attention_units": 4,
        "initializer_range": 0.5,
    }
    return TranslationModel(11, **{**sizes, **options})


@pytest.mark.parametrize("options", OPTIONS)
def test_is_its_encoder_and_its_decoder(options):
    model = model_of(**options)
    encoded = model.encoder(SOURCE_IDS)
    decoded = model.decoder(
        {
            "target_in_ids": keras.ops.convert_to_tensor(TARGET_IN_IDS),
            "memory": encoded["memory"],
            "memory_mask": encoded["memory_mask"],
            **model.decoder.start(encoded["memory"], encoded["encoder_state"]),
        }
    )
    logits = model(INPUTS)
    assert keras.backend.standardize_dtype(logits.dtype) == "float32"
    np.testing.assert_allclose(arrays_of(logits), arrays_of(decoded["logits"]), atol=1e-6)


@pytest.mark.parametrize("options", OPTIONS[:4])
def test_padding_and_company_change_nothing(options):
    model = model_of(**options)
    logits = arrays_of(model(INPUTS))
    padded = {name: np.pad(ids, [(0, 0), (0, 3)]) for name, ids in INPUTS.items()}
    np.testing.assert_allclose(arrays_of(model(padded))[:, :4], logits, atol=1e-5)
    alone = model({"source_ids": SOURCE_IDS[1:, :2], "target_in_ids": TARGET_IN_IDS[1:, :2]})
    np.testing.assert_allclose(arrays_of(alone)[0], logits[1, :2], atol=1e-5)


@pytest.mark.parametrize("options", [*OPTIONS, {"dropout": 0.1, "recurrent_dropout": 0.2}])
def test_config_and_file_rebuild_the_same_model(options, tmp_path):
    model = model_of(**options, name="translator")
    rebuilt = TranslationModel.from_config(model.get_config())
    rebuilt.set_weights(model.get_weights())
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    for other in (rebuilt, loaded):
        assert type(other) is TranslationModel
        assert other.get_config() == model.get_config()
        np.testing.assert_array_equal(arrays_of(other(INPUTS)), arrays_of(model(INPUTS)))
        encoded = other.encoder(SOURCE_IDS)
        start = other.decoder.start(encoded["memory"], encoded["encoder_state"])
        assert len(start["initial_state"]) == len(other.decoder.output["states"])


def test_config_has_every_argument():
    config = model_of(name="translator", trainable=True).get_config()
    other = {
        "vocabulary_size": 12,
        "embedding_dim": 6,
        "encoder_units": 4,
        "decoder_units": 8,
        "attention_units": 5,
        "readout_units": 7,
        "num_layers": 2,
        "cell": "lstm",
        "order": "after",
        "attention": "none",
        "tie_embeddings": "none",
        "dropout": 0.1,
        "recurrent_dropout": 0.2,
        "attention_dropout": 0.3,
        "initializer_range": 0.2,
        "pad_id": 1,
        "skip_padding": True,
    }
    assert set(config) == {"name", "trainable", *other}
    received = TranslationModel(**other).get_config()
    assert {name: received[name] for name in other} == other


def test_loads_a_file_from_before_layer_normalization_went(tmp_path, monkeypatch):
    model = model_of()
    config = model.get_config()
    monkeypatch.setattr(
        TranslationModel, "get_config", lambda self: {**config, "attention_normalization": "none"}
    )
    model.save(tmp_path / "model.keras")
    monkeypatch.undo()
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loaded.get_config() == {**config, "name": loaded.name}
    np.testing.assert_array_equal(arrays_of(loaded(INPUTS)), arrays_of(model(INPUTS)))
    with pytest.raises(ValueError, match="`layer_normalization`.*attention_normalization='layer'"):
        TranslationModel.from_config({**config, "attention_normalization": "layer"})


@pytest.mark.parametrize("options", OPTIONS)
def test_weights_survive_alone(options, tmp_path):
    model, other = model_of(**options), model_of(**options)
    assert np.abs(arrays_of(model(INPUTS)) - arrays_of(other(INPUTS))).max() > 0.01
    model.save_weights(tmp_path / "model.weights.h5")
    other.load_weights(tmp_path / "model.weights.h5")
    np.testing.assert_array_equal(arrays_of(other(INPUTS)), arrays_of(model(INPUTS)))


def test_tied_matrices_are_one_and_stay_one(tmp_path):
    table = 5 * 11
    untied, target, everything = (
        model_of(tie_embeddings=tied) for tied in ("none", "target", "all")
    )
    assert untied.count_params() - target.count_params() == table + 11
    assert target.count_params() - everything.count_params() == table
    everything.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loaded.count_params() == everything.count_params()
    for model in (everything, loaded):
        (shared,) = [weight for weight in model.weights if tuple(weight.shape) == (11, 5)]
        for part in (model.encoder, model.decoder):
            assert [weight for weight in part.weights if weight is shared]


@pytest.mark.parametrize("part", ["encoder", "decoder"])
def test_a_part_with_a_tied_matrix_is_saved_alone(part, tmp_path):
    part = getattr(model_of(tie_embeddings="all"), part)
    part.save(tmp_path / "part.keras")
    loaded = keras.saving.load_model(tmp_path / "part.keras")
    assert type(loaded) is type(part)
    for weights, expected in zip(loaded.get_weights(), part.get_weights(), strict=True):
        np.testing.assert_array_equal(weights, expected)


@pytest.mark.parametrize("order", ["before", "after", "between"])
def test_without_attention_the_source_is_seen_through_one_vector_alone(order):
    model = model_of(attention="none", order=order)
    encoded = model.encoder(SOURCE_IDS)
    summary = encoded["encoder_state"]

    def decode(memory, memory_mask):
        memory = keras.ops.convert_to_tensor(memory)
        outputs = model.decoder(
            {
                "target_in_ids": keras.ops.convert_to_tensor(TARGET_IN_IDS),
                "memory": memory,
                "memory_mask": keras.ops.convert_to_tensor(memory_mask),
                **model.decoder.start(memory, summary),
            }
        )
        return arrays_of(outputs)

    # A memory of that vector and nothing else gives the same.
    alone = decode(keras.ops.expand_dims(summary, 1), np.ones((2, 1), dtype=bool))
    np.testing.assert_allclose(arrays_of(model(INPUTS)), alone["logits"], atol=1e-5)
    weights = decode(encoded["memory"], encoded["memory_mask"])["attention_scores"]
    expected = (SOURCE_IDS != 0) / np.sum(SOURCE_IDS != 0, axis=1, keepdims=True)
    np.testing.assert_allclose(weights, np.repeat(expected[:, None], 4, axis=1), atol=1e-6)


def test_without_attention_it_has_as_many_weights():
    assert model_of(attention="none").count_params() == model_of().count_params()


@pytest.mark.parametrize(
    "options",
    [
        {"num_layers": 2, "order": "after", "dropout": 0.1},
        {"num_layers": 2, "order": "between", "tie_embeddings": "all", "recurrent_dropout": 0.1},
    ],
)
def test_every_weight_is_trained_once(options):
    model = model_of(**options)
    paths = [weight.path for weight in model.trainable_weights]
    assert len(set(paths)) == len(paths)
    parts = [*model.encoder.trainable_weights, *model.decoder.trainable_weights]
    assert {id(weight) for weight in parts} == {id(weight) for weight in model.trainable_weights}
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(loss=loss, optimizer="adam", run_eagerly=True)
    before = model.get_weights()
    model.fit(INPUTS, np.roll(TARGET_IN_IDS, -1, axis=1), verbose=0)
    unchanged = [
        weight.path
        for weight, old in zip(model.weights, before, strict=True)
        if weight.trainable and (arrays_of(weight.value) == old).all()
    ]
    assert unchanged == []


def test_wrong_arguments():
    with pytest.raises(ValueError, match="`vocabulary_size` must be a positive integer.*=0"):
        TranslationModel(0)
    with pytest.raises(ValueError, match="`units` must be a positive integer.*=-1"):
        model_of(decoder_units=-1)
    with pytest.raises(ValueError, match="`attention` must be one of.*'dot'"):
        model_of(attention="dot")
    with pytest.raises(ValueError, match="`tie_embeddings` must be one of.*=True"):
        model_of(tie_embeddings=True)
