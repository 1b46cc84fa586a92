import keras
import numpy as np
import pytest
from attention_oracle import arrays_of
from generation_case import (
    END,
    MAX_TARGET_LENGTH,
    MODELS,
    PAD,
    SOURCE_IDS,
    START,
    UNKNOWN,
    check_scores,
    log_softmax,
    search,
    searched_model,
)
from on_backend import cases, long_on

from keras_bahdanau.models import TranslationModel
from keras_bahdanau.translation.generate import score


@pytest.fixture(scope="module", params=cases(MODELS, most=1))
def model(request):
    return searched_model(**request.param)


def greedy_loop(model, source_ids, limit):
    """The definition: feed the decoder the most probable allowed token, until it is the end."""
    encoded = model.encoder(source_ids)
    start = model.decoder.start(encoded["memory"], encoded["encoder_state"])
    states, token, tokens, total, attention = start["initial_state"], START, [], 0.0, []
    while len(tokens) < limit and END not in tokens:
        outputs = model.decoder(
            {
                "target_in_ids": keras.ops.convert_to_tensor([[token]]),
                "memory": encoded["memory"],
                "memory_mask": encoded["memory_mask"],
                "keys": start["keys"],
                "initial_state": states,
            }
        )
        states = outputs["states"]
        log_probabilities = log_softmax(arrays_of(outputs["logits"])[0, 0])
        allowed = log_probabilities.copy()
        allowed[[PAD, UNKNOWN, START]] = -np.inf
        token = int(np.argmax(allowed))
        tokens.append(token)
        total += log_probabilities[token]
        attention.append(arrays_of(outputs["attention_scores"])[0, 0])
    return tokens, total, np.stack(attention)


def test_greedy_is_the_explicit_loop(model):
    result = search(model, beam_width=1, n_best=1)
    for row, source_ids in enumerate(SOURCE_IDS):
        length = np.count_nonzero(source_ids)
        limit = min(2 * length + 10, MAX_TARGET_LENGTH)
        tokens, log_probability, attention = greedy_loop(model, source_ids[None], limit)
        assert result.lengths[row, 0] == len(tokens)
        assert result.token_ids[row, 0, : len(tokens)].tolist() == tokens
        assert not result.token_ids[row, 0, len(tokens) :].any()
        np.testing.assert_allclose(result.log_probabilities[row, 0], log_probability, atol=1e-4)
        np.testing.assert_allclose(
            result.attention_scores[row, 0, : len(tokens)], attention, atol=1e-5
        )


@pytest.mark.parametrize("beam_width", [1, long_on(["jax"], 4)])
def test_alone_and_in_company(model, beam_width):
    options = {"beam_width": beam_width, "n_best": beam_width}
    together = search(model, **options)
    for row, source_ids in enumerate(SOURCE_IDS[:3]):
        alone = search(model, source_ids[None, : np.count_nonzero(source_ids)], **options)
        time, length = alone.token_ids.shape[2], alone.attention_scores.shape[3]
        np.testing.assert_array_equal(alone.token_ids[0], together.token_ids[row, :, :time])
        assert not together.token_ids[row, :, time:].any()
        np.testing.assert_array_equal(alone.lengths[0], together.lengths[row])
        np.testing.assert_allclose(alone.scores[0], together.scores[row], atol=1e-5)
        np.testing.assert_allclose(
            alone.attention_scores[0], together.attention_scores[row, :, :time, :length], atol=1e-5
        )


@pytest.mark.parametrize("length_penalty", [0.0, long_on(["jax"], 1.0)])
def test_what_the_search_says_is_what_scoring_says(model, length_penalty):
    result = search(model, SOURCE_IDS[:3], length_penalty=length_penalty)
    target_out_ids = result.token_ids.reshape(9, -1)
    target_in_ids = np.pad(target_out_ids[:, :-1], [(0, 0), (1, 0)], constant_values=START)
    source_ids = np.repeat(SOURCE_IDS[:3], 3, axis=0)
    scored = score([model], source_ids, target_in_ids, target_out_ids, pad_id=PAD)
    log_probabilities = result.log_probabilities
    np.testing.assert_allclose(log_probabilities.ravel(), arrays_of(scored), atol=1e-4)
    normalised = log_probabilities / result.lengths**length_penalty
    np.testing.assert_allclose(result.scores, normalised, rtol=1e-5)
    assert (np.diff(result.scores, axis=1) <= 0).all()


def test_a_wide_beam_finds_what_enumeration_finds(model):
    result = search(model, max_target_length=2, beam_width=9, n_best=1, length_penalty=0.0)
    pairs = [(first, last) for first in range(4, 12) for last in range(3, 12)]
    target_out_ids = np.array([(END, PAD), *pairs], dtype="int32")
    target_in_ids = np.array([(START, PAD), *((START, first) for first, _ in pairs)], dtype="int32")
    for row in range(2):
        source_ids = np.repeat(SOURCE_IDS[row : row + 1], len(target_out_ids), axis=0)
        scored = arrays_of(score([model], source_ids, target_in_ids, target_out_ids, pad_id=PAD))
        np.testing.assert_array_equal(result.token_ids[row, 0], target_out_ids[scored.argmax()])
        np.testing.assert_allclose(result.log_probabilities[row, 0], scored.max(), atol=1e-4)


def test_score_sums_the_log_softmax_and_leaves_padding_out(model):
    target_in_ids = np.array([[2, 6, 4, 9], [2, 5, 0, 0], [2, 0, 0, 0]], dtype="int32")
    target_out_ids = np.array([[6, 4, 9, 3], [5, 3, 0, 0], [3, 0, 0, 0]], dtype="int32")
    source_ids = SOURCE_IDS[:3]
    logits = arrays_of(model({"source_ids": source_ids, "target_in_ids": target_in_ids}))
    token_log_probabilities = log_softmax(logits)
    received = arrays_of(score([model], source_ids, target_in_ids, target_out_ids, pad_id=PAD))
    for row, length in enumerate([4, 2, 1]):
        expected = sum(
            token_log_probabilities[row, i, target_out_ids[row, i]] for i in range(length)
        )
        np.testing.assert_allclose(received[row], expected, rtol=1e-5)


def test_special_tokens_are_never_generated(model):
    for beam_width in (1, 3):
        result = search(model, beam_width=beam_width, n_best=1, min_length=5)
        for tokens, length in zip(result.token_ids[:, 0], result.lengths[:, 0], strict=True):
            assert length >= 5
            assert not set(tokens[:length]) & {PAD, UNKNOWN, START}
            assert END not in tokens[: length - 1]


@long_on(["jax"])
def test_attention_is_on_the_source_alone(model):
    result = search(model)
    for row, source_ids in enumerate(SOURCE_IDS[:3]):
        for scores, length in zip(result.attention_scores[row], result.lengths[row], strict=True):
            np.testing.assert_allclose(scores[:length].sum(-1), 1, atol=1e-5)
            assert not scores[length:].any() and not scores[:, source_ids == PAD].any()


@long_on(["jax"])
def test_ensemble_averages_log_probabilities(model):
    keras.utils.set_random_seed(9)
    models = [model, TranslationModel.from_config(model.get_config())]
    check_scores(models, search(models, beam_width=4))
    # Greedy search by definition: the best token of the mean at each position.
    greedy = search(models, beam_width=1, n_best=1)
    for row in range(2):
        tokens = greedy.token_ids[row, :1, : greedy.lengths[row, 0]]
        given = np.concatenate([[[START]], tokens[:, :-1]], axis=1)
        inputs = {"source_ids": SOURCE_IDS[row : row + 1], "target_in_ids": given}
        mean = np.mean([log_softmax(arrays_of(each(inputs))) for each in models], axis=0)
        mean[..., [PAD, UNKNOWN, START]] = -np.inf
        np.testing.assert_array_equal(mean[0].argmax(axis=-1), tokens[0])
