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
    {"num_layers": 2, "cell": "lstm", "order": "after", "tie_embeddings": False},
    {"readout_units": 9, "tie_embeddings": False, "pad_id": 1},
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


@pytest.mark.parametrize("options", OPTIONS[:2])
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
        "tie_embeddings": False,
        "dropout": 0.1,
        "recurrent_dropout": 0.2,
        "attention_dropout": 0.3,
        "initializer_range": 0.2,
        "pad_id": 1,
    }
    assert set(config) == {"name", "trainable", *other}
    received = TranslationModel(**other).get_config()
    assert {name: received[name] for name in other} == other


@pytest.mark.parametrize("options", OPTIONS)
def test_weights_survive_alone(options, tmp_path):
    model, other = model_of(**options), model_of(**options)
    assert np.abs(arrays_of(model(INPUTS)) - arrays_of(other(INPUTS))).max() > 0.01
    model.save_weights(tmp_path / "model.weights.h5")
    other.load_weights(tmp_path / "model.weights.h5")
    np.testing.assert_array_equal(arrays_of(other(INPUTS)), arrays_of(model(INPUTS)))


def test_every_weight_is_trained_once():
    model = model_of(num_layers=2, order="after", dropout=0.1)
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
