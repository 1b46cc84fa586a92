import keras
import numpy as np
import pytest
from small_translator import ENGLISH, small_translator

from keras_bahdanau.errors import InputError
from keras_bahdanau.export.litert import calibration
from keras_bahdanau.export.litert.calibration import calibration_batches, estimate_curvatures
from keras_bahdanau.export.litert.quantization import (
    WeightMatrix,
    round_weights,
    weight_matrices,
)

TEXTS = ["the red house", "", "a dog sleeps", "the " * 60, "the cat runs", "   "]
SOURCE_IDS = np.array([[5, 6, 7, 3], [8, 9, 3, 0]], "int32")
TARGET_IN_IDS = np.array([[2, 10, 11], [2, 12, 0]], "int32")
MASK = np.array([[True, True, True], [True, True, False]])
REPEATED = 1500


@pytest.fixture(scope="module")
def translator():
    return small_translator()


def test_batches_are_texts_and_their_translations(translator):
    batches = calibration_batches(translator, TEXTS)
    tokenizer, found = translator.tokenizer, set()
    for source_ids, target_in_ids, mask in batches:
        assert (target_in_ids[:, 0] == 2).all()
        assert source_ids.dtype == target_in_ids.dtype == np.int32
        for source, target, kept in zip(source_ids, target_in_ids, mask, strict=True):
            assert source[source > 0][-1] == 3
            # One more token is predicted than is given after the start: the end.
            assert kept.sum() == (target > 0).sum()
            found.add((tokenizer.decode(source), tokenizer.decode(target)))
    texts = ["the red house", "a dog sleeps", "the cat runs"]
    translations = translator.translate(texts, beam_width=1)
    assert found == set(zip(texts, translations, strict=True))


def test_of_many_texts_some_are_taken_at_equal_distances(translator, monkeypatch):
    monkeypatch.setattr(calibration, "MAX_TEXTS", 3)
    words = ENGLISH.split()[:9]
    batches = calibration_batches(translator, words)
    found = {translator.tokenizer.decode(row) for source_ids, *_ in batches for row in source_ids}
    assert found == set(words[::3])


@pytest.mark.parametrize("texts", [[], ["", " "], ["the " * 60]])
def test_texts_of_which_none_is_left_are_refused(translator, texts):
    with pytest.raises(InputError, match=f"{len(texts)} texts, all empty or too long"):
        calibration_batches(translator, texts)


def test_factors_of_the_output_matrix_are_what_the_softmax_gives():
    # The gradient of column v at one position is (p_v - [v is drawn]) times the deep output x, so
    # its mean square over draws is p_v (1 - p_v) x x', and covariances of outputs are -p_v p_w.
    model = small_translator(tie_embeddings="none").model
    kernel = model.decoder.output_layer.kernel
    matrix = WeightMatrix(kernel, slice(None), rows_are_outputs=False)
    (found,) = estimate_curvatures(model, [matrix], [(SOURCE_IDS, TARGET_IN_IDS, MASK)] * REPEATED)
    inputs = {"source_ids": SOURCE_IDS, "target_in_ids": TARGET_IN_IDS}
    features = deep_output(model, inputs)[MASK].astype("float64")
    logits = np.array(model(inputs))[MASK]
    chances = np.exp(logits - logits.max(axis=1, keepdims=True))
    chances = (chances / chances.sum(axis=1, keepdims=True)).astype("float64")
    variance = chances * (1 - chances)
    expected = np.einsum("t,ti,tj->ij", variance.sum(axis=1), features, features)
    covariance = np.einsum("tv,vw->tvw", chances, np.eye(chances.shape[1])) - np.einsum(
        "tv,tw->tvw", chances, chances
    )
    among_outputs = np.einsum("t,tvw->vw", np.square(features).sum(axis=1), covariance)
    for estimate, exact in ((found.inputs, expected), (found.outputs, among_outputs)):
        distance = np.linalg.norm(estimate / REPEATED - exact) / np.linalg.norm(exact)
        assert distance < 0.1


def deep_output(model, inputs):
    encoded = model.encoder(inputs["source_ids"])
    start = model.decoder.start(encoded["memory"], encoded["encoder_state"])
    features = model.decoder.features_model(
        {
            "target_in_ids": keras.ops.convert_to_tensor(inputs["target_in_ids"]),
            "target_mask": keras.ops.ones(inputs["target_in_ids"].shape, "bool"),
            "memory": encoded["memory"],
            "memory_mask": encoded["memory_mask"],
            **start,
        }
    )
    return np.array(model.decoder.readout_model(features))


def test_padding_changes_nothing():
    model = small_translator().model
    matrices = weight_matrices(model)
    batch = (SOURCE_IDS[:1], TARGET_IN_IDS[:1], MASK[:1])
    wider = tuple(np.pad(each, [[0, 0], [0, 2]]) for each in batch)
    plain = estimate_curvatures(model, matrices, [batch])
    padded = estimate_curvatures(model, matrices, [wider])
    for ours, expected in zip(padded, plain, strict=True):
        np.testing.assert_allclose(ours.inputs, expected.inputs, rtol=1e-3, atol=1e-6)


def test_every_matrix_has_factors_of_its_own_shape():
    model = small_translator(
        embedding_dim=32, encoder_units=32, decoder_units=32, attention_units=32, order="between"
    ).model
    matrices = weight_matrices(model)
    found = estimate_curvatures(model, matrices, [(SOURCE_IDS, TARGET_IN_IDS, MASK)])
    for matrix, curvature in zip(matrices, found, strict=True):
        outputs, inputs = matrix.of(np.array(matrix.variable)).shape
        assert curvature.inputs.shape == (inputs, inputs)
        assert curvature.outputs.shape == (outputs, outputs)
        for factor in curvature:
            assert np.linalg.eigvalsh(factor).min() > -1e-4 * np.trace(factor)


def test_the_model_stays_as_it_is():
    model = small_translator().model
    before = [np.array(weight) for weight in model.weights]
    estimate_curvatures(model, weight_matrices(model), [(SOURCE_IDS, TARGET_IN_IDS, MASK)])
    keras.tree.map_structure(np.testing.assert_array_equal, before, [*map(np.array, model.weights)])


@pytest.mark.slow
def test_calibrated_rounding_changes_less_than_rounding_to_the_nearest():
    generator = np.random.default_rng(4)

    def sentences(count):
        words = ENGLISH.split()
        return [" ".join(generator.choice(words, generator.integers(3, 9))) for _ in range(count)]

    sizes = {"embedding_dim": 32, "encoder_units": 32, "decoder_units": 32, "attention_units": 32}
    translator = small_translator(**sizes, initializer_range=0.4)
    model, batches = translator.model, calibration_batches(translator, sentences(320))
    curvatures = estimate_curvatures(model, weight_matrices(model), batches)
    exact = [np.array(weight) for weight in model.weights]
    held_out = calibration_batches(translator, sentences(64))
    before = [log_probabilities(model, *batch) for batch in held_out]
    divergence = {}
    for name, each in (("nearest", None), ("calibrated", curvatures)):
        model.set_weights(exact)
        round_weights(model, 4, each)
        after = [log_probabilities(model, *batch) for batch in held_out]
        divergence[name] = np.mean(
            [
                (np.exp(old) * (old - new)).sum(axis=-1).mean()
                for old, new in zip(before, after, strict=True)
            ]
        )
    assert divergence["calibrated"] < 0.8 * divergence["nearest"]


def log_probabilities(model, source_ids, target_in_ids, mask):
    logits = np.array(model({"source_ids": source_ids, "target_in_ids": target_in_ids}))[mask]
    return logits - np.logaddexp.reduce(logits, axis=-1, keepdims=True)
