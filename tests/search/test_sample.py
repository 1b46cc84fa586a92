import numpy as np
import pytest
from keras import ops
from toy_language import IDS, START, ToyLanguage, arrays_of, step_from_table, tokens_of

from keras_bahdanau.search import greedy_search, sample


def evenly(sentences, samples, length=1):
    """Noise that meets every probability as often as it says."""
    steps = (np.arange(samples) + 0.5) / samples
    return np.broadcast_to(steps[None, :, None], (sentences, samples, length)).astype("float32")


def first_tokens(probabilities, samples=1000, **options):
    """How often each token was drawn for the first position, as shares."""
    step = step_from_table({START: probabilities})
    result = sample(
        step, [ops.zeros((1, 1))], noise=evenly(1, samples), max_length=1, **IDS, **options
    )
    tokens = arrays_of(result)["token_ids"][0, :, 0]
    return np.bincount(tokens, minlength=len(probabilities)) / samples


PROBABILITIES = [0.0, 0.0, 0.1, 0.4, 0.25, 0.2, 0.05]


@pytest.mark.parametrize(
    "options, expected",
    [
        ({}, PROBABILITIES),
        ({"temperature": 0.5}, np.square(PROBABILITIES) / np.square(PROBABILITIES).sum()),
        ({"top_k": 2}, [0, 0, 0, 0.4 / 0.65, 0.25 / 0.65, 0, 0]),
        ({"top_p": 0.7}, [0, 0, 0, 0.4 / 0.85, 0.25 / 0.85, 0.2 / 0.85, 0]),
        ({"top_p": 0.3}, [0, 0, 0, 1, 0, 0, 0]),
        ({"top_k": 3, "top_p": 0.7}, [0, 0, 0, 0.4 / 0.65, 0.25 / 0.65, 0, 0]),
        ({"suppressed_ids": (3,)}, [0, 0, 0.1 / 0.6, 0, 0.25 / 0.6, 0.2 / 0.6, 0.05 / 0.6]),
        ({"suppressed_ids": (3,), "top_k": 1}, [0, 0, 0, 0, 1, 0, 0]),
    ],
)
def test_tokens_are_drawn_as_often_as_they_are_probable(options, expected):
    np.testing.assert_allclose(first_tokens(PROBABILITIES, **options), expected, atol=0.0011)


def test_one_candidate_is_greedy_search():
    language = ToyLanguage(sentences=5, vocabulary_size=7)
    noise = np.random.default_rng(0).random((5, 2, 8)).astype("float32")
    drawn = arrays_of(language.search_with(sample, noise=noise, top_k=1, max_length=8))
    greedy = arrays_of(language.search_with(greedy_search, max_length=8))
    for name, value in greedy.items():
        for rank in range(2):
            np.testing.assert_array_equal(drawn[name][:, rank], value[:, 0], err_msg=name)


def test_log_probabilities_are_the_models_own():
    language = ToyLanguage(sentences=4, vocabulary_size=8, seed=4)
    noise = np.random.default_rng(1).random((4, 3, 9)).astype("float32")
    result = language.search_with(sample, noise=noise, temperature=1.7, max_length=9)
    values = arrays_of(result)
    for sentence, rank in np.ndindex(4, 3):
        tokens = tokens_of(result, sentence, rank)
        total = language.token_log_probabilities(sentence, tokens).sum()
        np.testing.assert_allclose(values["log_probabilities"][sentence, rank], total, rtol=1e-5)
        np.testing.assert_array_equal(
            values["attention_scores"][sentence, rank, : len(tokens)],
            language.attention(sentence, tokens),
        )
    assert (np.diff(values["scores"], axis=1) <= 0).all()


def test_sentence_does_not_depend_on_its_neighbours():
    language = ToyLanguage(sentences=4, vocabulary_size=6, seed=5)
    noise = np.random.default_rng(2).random((4, 2, 9)).astype("float32")
    together = arrays_of(language.search_with(sample, noise=noise, max_length=9))
    for sentence in range(4):
        alone = ToyLanguage(vocabulary_size=6)
        alone.logits = language.logits[sentence : sentence + 1]
        alone.memory = language.memory[sentence : sentence + 1]
        found = alone.search_with(sample, noise=noise[sentence : sentence + 1], max_length=9)
        assert tokens_of(found, 0) == tuple(
            together["token_ids"][sentence, 0, : together["lengths"][sentence, 0]].tolist()
        )


@pytest.mark.parametrize(
    "options, message",
    [
        ({"temperature": 0}, "`temperature` must be greater than 0"),
        ({"top_p": 1.1}, "`top_p` must be greater than 0 and at most 1. Received: top_p=1.1"),
        ({"top_p": 0.0}, "`top_p` must be greater than 0"),
        ({"top_k": -1}, "`top_k` must be an integer of at least 0"),
    ],
)
def test_errors(options, message):
    with pytest.raises(ValueError, match=message):
        ToyLanguage().search_with(sample, noise=evenly(1, 2, 3), max_length=3, **options)
