import numpy as np
import pytest
from keras import ops
from toy_language import PAD, START, ToyLanguage, arrays_of, tokens_of

from keras_bahdanau.search import beam_search

LIMITS = {"max_length": 4, "suppressed_ids": (PAD, START)}


def score_of(language, sentence, tokens, alpha, kind, beta):
    """The definition, for attention that adds up to 1."""
    total = language.token_log_probabilities(sentence, tokens).sum()
    length = len(tokens)
    score = total / (length**alpha if kind == "average" else ((5 + length) / 6) ** alpha)
    coverage = attention_of(language, sentence, tokens).sum(axis=0)
    coverage = coverage[coverage > 0]
    return score + beta * np.log(np.minimum(coverage, 1)).sum()


def attention_of(language, sentence, tokens):
    raw = language.attention(sentence, tokens)
    weights = raw / raw.sum(axis=-1, keepdims=True)
    # The last position of every source is padding.
    weights[:, -1] = 0
    return weights


def search(language, **options):
    def run(step, states, constants, **options):
        def attentive(*arguments):
            logits, states, attention = step(*arguments)
            weights = attention / ops.sum(attention, axis=-1, keepdims=True)
            mask = np.ones(language.memory.shape[1], "float32")
            mask[-1] = 0
            return logits, states, weights * ops.convert_to_tensor(mask)

        return beam_search(attentive, states, constants, **options)

    return language.search_with(run, **options)


@pytest.mark.parametrize("beta", [0.0, 0.4])
@pytest.mark.parametrize("kind", ["average", "wu"])
@pytest.mark.parametrize("alpha", [0.0, 0.7])
def test_wide_beam_ranks_by_the_definition(alpha, kind, beta):
    language = ToyLanguage(sentences=2, seed=7)
    count = len(language.hypotheses(0, **LIMITS))
    result = search(
        language,
        beam_width=count,
        n_best=count,
        length_penalty=alpha,
        length_penalty_type=kind,
        coverage_penalty=beta,
        **LIMITS,
    )
    for sentence in range(2):
        scores = {
            tokens: score_of(language, sentence, tokens, alpha, kind, beta)
            for tokens, _ in language.hypotheses(sentence, **LIMITS)
        }
        best = sorted(scores, key=lambda tokens: -scores[tokens])
        assert [tokens_of(result, sentence, rank) for rank in range(count)] == best
        np.testing.assert_allclose(
            arrays_of(result)["scores"][sentence], sorted(scores.values(), reverse=True), rtol=1e-4
        )


def test_penalties_of_hypotheses_that_ended_early_stay():
    language = ToyLanguage(sentences=6, vocabulary_size=7, seed=8)
    result = search(language, beam_width=4, n_best=4, max_length=9, coverage_penalty=0.3)
    for sentence, rank in np.ndindex(6, 4):
        tokens = tokens_of(result, sentence, rank)
        expected = score_of(language, sentence, tokens, 1.0, "average", 0.3)
        np.testing.assert_allclose(result.scores[sentence, rank], expected, rtol=1e-4)


@pytest.mark.parametrize(
    "options, message",
    [
        ({"length_penalty": -1}, "`length_penalty` must not be negative"),
        ({"coverage_penalty": -0.1}, "`coverage_penalty` must not be negative"),
        (
            {"length_penalty_type": "avg"},
            "`length_penalty_type` must be one of .*Received: .*'avg'",
        ),
    ],
)
def test_errors(options, message):
    with pytest.raises(ValueError, match=message):
        search(ToyLanguage(), beam_width=2, max_length=3, **options)
