import numpy as np
import pytest
from keras import ops
from toy_language import END, PAD, START, ToyLanguage, arrays_of, tokens_of

from keras_bahdanau.search import beam_search, greedy_search
from keras_bahdanau.search.next_tokens import IMPOSSIBLE, top_k, top_tokens

LIMITS = {"max_length": 4, "suppressed_ids": (PAD, START)}


@pytest.mark.parametrize("columns", [5, 97, 1000, 1009, 4000, 8000])
@pytest.mark.parametrize("k", [1, 2, 5])
def test_two_stages_are_top_k(columns, k):
    random = np.random.default_rng(columns)
    # Distinct numbers, so that there is one right order.
    values = np.stack([random.permutation(columns) for _ in range(7)]).astype("float32")
    top, indices = top_k(ops.convert_to_tensor(values), k)
    expected = np.argsort(-values, axis=1)[:, :k]
    np.testing.assert_array_equal(ops.convert_to_numpy(indices), expected)
    np.testing.assert_array_equal(
        ops.convert_to_numpy(top), np.take_along_axis(values, expected, axis=1)
    )


@pytest.mark.parametrize("columns", [6, 4000])
def test_top_k_gives_equal_values_once_each(columns):
    _, indices = top_k(ops.zeros((2, columns)), 5)
    for row in ops.convert_to_numpy(indices):
        assert len(set(row.tolist())) == 5


@pytest.mark.parametrize("scale", [1, 30, 1000])
def test_log_probabilities_are_those_of_the_softmax(scale):
    logits = np.random.default_rng(0).normal(scale=scale, size=(4, 1200)).astype("float32")
    values, token_ids = top_tokens(ops.convert_to_tensor(logits), 6)
    exact = logits.astype("float64")
    exact -= exact.max(axis=1, keepdims=True)
    exact -= np.log(np.exp(exact).sum(axis=1, keepdims=True))
    token_ids = ops.convert_to_numpy(token_ids)
    np.testing.assert_array_equal(token_ids, np.argsort(-logits, axis=1)[:, :6])
    np.testing.assert_allclose(
        ops.convert_to_numpy(values),
        np.take_along_axis(exact, token_ids, axis=1),
        rtol=1e-5,
        atol=1e-6 * scale,
    )


def test_enough_tokens_are_left_when_the_best_are_suppressed():
    logits = ops.convert_to_tensor([[9.0, 8.0, 3.0, 7.0, 1.0, 2.0]])
    suppressed = ops.convert_to_tensor([0, 1, 3], dtype="int32")
    values, token_ids = top_tokens(logits, 2, suppressed)
    possible = ops.convert_to_numpy(values)[0] > IMPOSSIBLE
    assert ops.convert_to_numpy(token_ids)[0][possible].tolist() == [2, 5]


def test_tokens_of_no_probability_are_no_problem():
    logits = ops.convert_to_tensor([[0.0, -np.inf, -np.inf]])
    values, token_ids = top_tokens(logits, 3)
    assert ops.convert_to_numpy(values)[0].tolist() == [0, -np.inf, -np.inf]
    assert ops.convert_to_numpy(token_ids)[0, 0] == 0


def exhaustive(language, allowed, **options):
    """A search as wide as there are sequences, and all that it should find, best first."""
    count = len(language.hypotheses(0, **LIMITS))
    result = language.search_with(
        beam_search, beam_width=count, n_best=count, length_penalty=0.0, **LIMITS, **options
    )
    for sentence in range(len(language.logits)):
        expected = [
            each
            for each in language.n_best(count, 0.0, sentence, **LIMITS)
            if allowed(sentence, each[0])
        ]
        yield result, sentence, expected


def check(cases):
    for result, sentence, expected in cases:
        assert 0 < len(expected)
        lengths = arrays_of(result)["lengths"][sentence]
        found = [tokens_of(result, sentence, rank) for rank in range((lengths > 0).sum())]
        assert found == [tokens for tokens, _, _ in expected]
        np.testing.assert_allclose(
            arrays_of(result)["log_probabilities"][sentence, : len(expected)],
            [value for _, value, _ in expected],
            rtol=1e-5,
        )


@pytest.mark.parametrize("size", [1, 2, 3])
def test_no_n_gram_occurs_twice(size):
    def allowed(sentence, tokens):
        n_grams = [tokens[i : i + size] for i in range(len(tokens) - size + 1)]
        return len(n_grams) == len(set(n_grams))

    language = ToyLanguage(sentences=2, seed=1)
    all_of_them = language.hypotheses(0, **LIMITS)
    assert not all(allowed(0, tokens) for tokens, _ in all_of_them)
    check(exhaustive(language, allowed, no_repeat_ngram_size=size))


def test_prefix_is_given_and_counts():
    prefixes = [(3,), (4, 3, 3), ()]
    ids = np.array([[3, PAD, PAD], [4, 3, 3], [PAD, PAD, PAD]])

    def allowed(sentence, tokens):
        return tokens[: len(prefixes[sentence])] == prefixes[sentence]

    check(exhaustive(ToyLanguage(sentences=3, seed=2), allowed, prefix_ids=ids))


def test_prefix_comes_before_every_other_rule():
    language = ToyLanguage(sentences=1, seed=3)
    result = language.search_with(
        greedy_search,
        max_length=5,
        suppressed_ids=(4,),
        min_length=4,
        no_repeat_ngram_size=1,
        prefix_ids=[[4, 4, END]],
    )
    assert tokens_of(result, 0) == (4, 4, END)


def test_least_length_of_each_sentence():
    least = np.array([0, 3, 2])

    def allowed(sentence, tokens):
        return tokens[-1] != END or len(tokens) > least[sentence]

    check(
        exhaustive(
            ToyLanguage(sentences=3, seed=4), allowed, min_length=ops.convert_to_tensor(least)
        )
    )


@pytest.mark.parametrize(
    "options, message",
    [
        ({"no_repeat_ngram_size": -1}, "`no_repeat_ngram_size` must be an integer of at least 0"),
        ({"min_length": 1.5}, "`min_length` must be an integer of at least 0"),
    ],
)
def test_errors(options, message):
    with pytest.raises(ValueError, match=message):
        ToyLanguage().search_with(greedy_search, max_length=3, **options)
