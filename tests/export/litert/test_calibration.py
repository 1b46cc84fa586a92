import numpy as np
import pytest
from small_translator import ENGLISH, small_translator

from keras_bahdanau.errors import InputError
from keras_bahdanau.export.litert import calibration
from keras_bahdanau.export.litert.calibration import calibration_batches
from keras_bahdanau.export.litert.curvature import curvatures_of
from keras_bahdanau.export.litert.quantization import blocks_of, round_weights

TEXTS = ["the red house", "", "a dog sleeps", "the " * 60, "the cat runs", "   "]


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
    monkeypatch.setattr(calibration, "MOST_TEXTS", 3)
    words = ENGLISH.split()[:9]
    batches = calibration_batches(translator, words)
    found = {translator.tokenizer.decode(row) for source_ids, *_ in batches for row in source_ids}
    assert found == set(words[::3])


@pytest.mark.parametrize("texts", [[], ["", " "], ["the " * 60]])
def test_texts_of_which_none_is_left_are_refused(translator, texts):
    with pytest.raises(InputError, match=f"{len(texts)} texts, none of them such"):
        calibration_batches(translator, texts)


@pytest.mark.slow
def test_calibrated_rounding_changes_less_than_rounding_to_the_nearest():
    generator = np.random.default_rng(4)

    def sentences(count):
        words = ENGLISH.split()
        return [" ".join(generator.choice(words, generator.integers(3, 9))) for _ in range(count)]

    sizes = {"embedding_dim": 32, "encoder_units": 32, "decoder_units": 32, "attention_units": 32}
    translator = small_translator(**sizes, initializer_range=0.4)
    model, batches = translator.model, calibration_batches(translator, sentences(320))
    curvatures = curvatures_of(model, blocks_of(model), batches)
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
