import gc
import weakref

import keras
import numpy as np
import pytest
from attention_oracle import arrays_of, gru_step, weights_by_name

from keras_bahdanau.models import Encoder
from keras_bahdanau.models.recurrent_layers import recurrent_layer

SOURCE_IDS = np.array([[4, 7, 2, 9, 3], [5, 3, 0, 0, 0], [0, 0, 0, 0, 0]], dtype="int32")
OPTIONS = [
    {},
    {"cell": "lstm"},
    {"num_layers": 2},
    {"num_layers": 2, "cell": "lstm"},
    {"num_layers": 2, "memory": "summary"},
]


def encoder_of(**options):
    sizes = {"embedding_dim": 4, "units": 3, "initializer_range": 0.5}
    return Encoder(10, **{**sizes, **options})


@pytest.fixture
def mixed_precision(request):
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(request.param)
    yield request.param
    keras.config.set_dtype_policy(before)


def test_annotations_are_both_directions_side_by_side():
    encoder = encoder_of()
    outputs = arrays_of(encoder(SOURCE_IDS))
    embeddings = encoder.get_layer("source_embedding").get_weights()[0]
    bidirectional = encoder.get_layer("bidirectional_0")
    for row, length in enumerate([5, 2]):
        embedded = embeddings[SOURCE_IDS[row, :length]]
        directions = []
        for layer, inputs in [
            (bidirectional.forward_layer, embedded),
            (bidirectional.backward_layer, embedded[::-1]),
        ]:
            state, states = np.zeros((1, 3)), []
            for step_inputs in inputs:
                state = gru_step(step_inputs[None], state, weights_by_name(layer.cell))
                states.append(state[0])
            directions.append(states)
        forward, backward = directions
        expected = np.concatenate([forward, backward[::-1]], axis=-1)
        np.testing.assert_allclose(outputs["memory"][row, :length], expected, atol=1e-5)
        expected_state = np.concatenate([forward[-1], backward[-1]])
        np.testing.assert_allclose(outputs["encoder_state"][row], expected_state, atol=1e-5)


@pytest.mark.parametrize("options", OPTIONS)
def test_padding_changes_nothing_and_is_zero(options):
    encoder = encoder_of(**options)
    outputs = arrays_of(encoder(SOURCE_IDS))
    np.testing.assert_array_equal(outputs["memory_mask"], SOURCE_IDS != 0)
    assert not outputs["memory"][SOURCE_IDS == 0].any()
    for row, length in enumerate([5, 2]):
        alone = arrays_of(encoder(SOURCE_IDS[row : row + 1, :length]))
        np.testing.assert_allclose(outputs["memory"][row, :length], alone["memory"][0], atol=1e-6)
        np.testing.assert_allclose(
            outputs["encoder_state"][row], alone["encoder_state"][0], atol=1e-6
        )
    # A source of padding alone has no tokens to encode, and no NaN.
    assert not outputs["encoder_state"][2].any()


@pytest.mark.parametrize("cell", ["gru", "lstm"])
def test_a_summary_is_the_last_state_at_every_token(cell):
    encoder = encoder_of(memory="summary", cell=cell)
    outputs = arrays_of(encoder(SOURCE_IDS))
    for row, length in enumerate([5, 2, 0]):
        for annotation in outputs["memory"][row, :length]:
            np.testing.assert_array_equal(annotation, outputs["encoder_state"][row])
    plain = encoder_of(cell=cell)
    plain.set_weights(encoder.get_weights())
    expected = arrays_of(plain(SOURCE_IDS)["encoder_state"])
    np.testing.assert_allclose(outputs["encoder_state"], expected, atol=1e-6)


def test_a_shared_embedding_is_the_others_and_is_saved_with_it(tmp_path):
    embedding = keras.layers.Embedding(10, 4, embeddings_initializer="uniform")
    first, second = (encoder_of(embedding=embedding) for _ in range(2))
    assert first.weights[0] is second.weights[0]
    first.save(tmp_path / "encoder.keras")
    expected = arrays_of(first(SOURCE_IDS)["memory"])
    embedding.set_weights([np.zeros((10, 4))])
    assert np.abs(arrays_of(second(SOURCE_IDS)["memory"]) - expected).max() > 0.01
    loaded = keras.saving.load_model(tmp_path / "encoder.keras")
    np.testing.assert_array_equal(arrays_of(loaded(SOURCE_IDS)["memory"]), expected)
    with pytest.raises(ValueError, match=r"\(10, 5\). Received: one of \(10, 4\)"):
        encoder_of(embedding=embedding, embedding_dim=5)


def test_another_pad_id():
    outputs = arrays_of(encoder_of(pad_id=9)(np.array([[4, 0, 9]])))
    np.testing.assert_array_equal(outputs["memory_mask"], [[True, True, False]])


@pytest.mark.parametrize("options", [*OPTIONS, {"dropout": 0.2, "recurrent_dropout": 0.1}])
def test_config_and_file_rebuild_the_same_encoder(options, tmp_path):
    encoder = encoder_of(**options, pad_id=2, name="reader")
    rebuilt = Encoder.from_config(encoder.get_config())
    rebuilt.set_weights(encoder.get_weights())
    encoder.save(tmp_path / "encoder.keras")
    loaded = keras.saving.load_model(tmp_path / "encoder.keras")
    expected = arrays_of(encoder(SOURCE_IDS))
    for other in (rebuilt, loaded):
        assert type(other) is Encoder
        assert other.get_config() == encoder.get_config()
        for name, array in arrays_of(other(SOURCE_IDS)).items():
            np.testing.assert_array_equal(array, expected[name])


def test_no_layer_can_be_taken_for_another_while_a_file_is_loaded(monkeypatch, tmp_path):
    # Keras tells them apart by their addresses: all have to live as long as the encoder.
    made = []

    def noted(*arguments, **options):
        layer = recurrent_layer(*arguments, **options)
        made.append(weakref.ref(layer))
        return layer

    monkeypatch.setattr("keras_bahdanau.models.encoder.recurrent_layer", noted)
    encoder_of(num_layers=3).save(tmp_path / "encoder.keras")
    made.clear()
    loaded = keras.saving.load_model(tmp_path / "encoder.keras")
    gc.collect()
    assert len({id(layer()) for layer in made if layer() is not None}) == len(made) == 3
    wrappers = [loaded.get_layer(f"bidirectional_{index}") for index in range(3)]
    directions = [
        each for wrapper in wrappers for each in (wrapper.forward_layer, wrapper.backward_layer)
    ]
    assert len(set(map(id, directions))) == 6


def test_dropout_is_for_training_only():
    encoder = encoder_of(dropout=0.5, recurrent_dropout=0.3)
    expected = arrays_of(encoder(SOURCE_IDS)["memory"])
    np.testing.assert_array_equal(
        arrays_of(encoder(SOURCE_IDS, training=False)["memory"]), expected
    )
    trained = arrays_of(encoder(SOURCE_IDS, training=True)["memory"])
    assert (trained != expected).any() and not trained[SOURCE_IDS == 0].any()


@pytest.mark.parametrize("mixed_precision", ["mixed_float16", "mixed_bfloat16"], indirect=True)
def test_mixed_precision(mixed_precision):
    encoder = encoder_of()
    outputs = encoder(SOURCE_IDS)
    assert {weight.dtype for weight in encoder.weights} == {"float32"}
    for name in ("memory", "encoder_state"):
        expected = mixed_precision.removeprefix("mixed_")
        assert keras.backend.standardize_dtype(outputs[name].dtype) == expected
        assert np.isfinite(arrays_of(keras.ops.cast(outputs[name], "float32"))).all()


@pytest.mark.parametrize(
    "options, message",
    [
        ({"vocabulary_size": 0}, "`vocabulary_size` must be a positive integer.*=0"),
        ({"embedding_dim": -4}, "`embedding_dim` must be a positive integer.*=-4"),
        ({"units": 2.5}, "`units` must be a positive integer.*=2.5"),
        ({"num_layers": 0}, "`num_layers` must be a positive integer.*=0"),
        ({"cell": "rnn"}, r"`cell` must be one of \('gru', 'lstm'\).*cell=rnn"),
        ({"memory": "all"}, r"`memory` must be one of \('annotations', 'summary'\).*'all'"),
        ({"dropout": 1.0}, r"`dropout` must be in the range \[0, 1\).*=1.0"),
        ({"recurrent_dropout": -1}, r"`recurrent_dropout` must be in the range.*=-1"),
    ],
)
def test_wrong_arguments(options, message):
    with pytest.raises(ValueError, match=message):
        Encoder(**{"vocabulary_size": 10, **options})
