import inspect

import keras
import numpy as np
import pytest
from keras import ops
from toy_language import (
    END,
    IDS,
    PAD,
    START,
    ToyLanguage,
    arrays_of,
    step_from_table,
    tokens_of,
)

from keras_bahdanau.search import beam_search, greedy_search


def search(language, **options):
    return language.search_with(greedy_search, **options)


def greedy_tokens(language, sentence, max_length, min_length=0, suppressed_ids=()):
    """The definition: at each position the most probable token that is allowed."""
    tokens = ()
    while len(tokens) < max_length and END not in tokens:
        allowed = set(range(language.vocabulary_size)) - set(suppressed_ids)
        if len(tokens) < min_length:
            allowed -= {END}
        tokens += (
            max(
                sorted(allowed),
                key=lambda token: language.token_log_probabilities(sentence, (*tokens, token))[-1],
            ),
        )
    return tokens


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"min_length": 4},
        {"suppressed_ids": (PAD, START)},
        {"suppressed_ids": (PAD, START, START), "min_length": 2},
        {"suppressed_ids": (PAD, END), "min_length": 2},
    ],
)
def test_most_probable_token_each_time(options):
    language = ToyLanguage(sentences=8, vocabulary_size=6)
    result = search(language, max_length=7, **options)
    values = arrays_of(result)
    for sentence in range(8):
        tokens = tokens_of(result, sentence)
        assert tokens == greedy_tokens(language, sentence, 7, **options)
        log_probability = language.token_log_probabilities(sentence, tokens).sum()
        np.testing.assert_allclose(values["log_probabilities"][sentence], log_probability, 1e-5)
        np.testing.assert_allclose(values["scores"][sentence], log_probability / len(tokens), 1e-5)
        attention = values["attention_scores"][sentence, 0]
        np.testing.assert_array_equal(
            attention[: len(tokens)], language.attention(sentence, tokens)
        )
        assert not attention[len(tokens) :].any()
        assert not values["token_ids"][sentence, 0, len(tokens) :].any()


def test_sentence_does_not_depend_on_its_neighbours():
    language = ToyLanguage(sentences=4, vocabulary_size=6, seed=5)
    limits = np.array([3, 12, 1, 7], dtype="int32")
    together = arrays_of(search(language, max_length=limits))
    assert (together["lengths"][:, 0] <= limits).all()
    for sentence, limit in enumerate(limits):
        alone = ToyLanguage(vocabulary_size=6)
        alone.logits = language.logits[sentence : sentence + 1]
        alone.memory = language.memory[sentence : sentence + 1]
        for name, value in arrays_of(search(alone, max_length=int(limit))).items():
            company = together[name][sentence]
            if name in ("token_ids", "attention_scores"):
                company = company[:, :limit]
            # A vectorised exponential may round the last digit by where a row lies in memory.
            np.testing.assert_allclose(company, value[0], rtol=1e-6, err_msg=name)


def test_max_length_of_zero_gives_the_empty_sequence():
    result = arrays_of(search(ToyLanguage(sentences=2), max_length=np.array([0, 4])))
    assert result["lengths"][0] == 0
    assert not result["token_ids"][0].any()
    assert not result["attention_scores"][0].any()
    assert result["log_probabilities"][0] == 0
    assert result["lengths"][1] > 0


def test_no_attention_where_the_step_gives_none():
    step = step_from_table({START: [0, 0, 0, 1, 0], 3: [0, 0, 1, 0, 0]})
    result = greedy_search(step, [ops.zeros((3, 1))], max_length=5, **IDS)
    assert result.attention_scores is None
    assert ops.convert_to_numpy(result.token_ids)[1].tolist() == [[3, END, PAD, PAD, PAD]]
    assert ops.convert_to_numpy(result.log_probabilities)[1].tolist() == [0]


def test_loop_ends_when_all_sentences_have_ended():
    if keras.config.backend() == "jax":
        pytest.skip("JAX traces the step once, so its calls cannot be counted")
    calls = []
    table = step_from_table({START: [0, 0, 0, 1, 0], 3: [0, 0, 1, 0, 0]})

    def step(token_ids, states, constants):
        calls.append(1)
        return table(token_ids, states, constants)

    greedy_search(step, [ops.zeros((3, 1))], max_length=50, **IDS)
    assert len(calls) == 2


@pytest.mark.parametrize(
    "options, message",
    [
        ({"max_length": 0}, "must be an integer of at least 1. Received: max_length=0"),
        ({"min_length": -1}, "`min_length` must be an integer of at least 0"),
        ({"min_length": 1.5}, "`min_length` must be an integer of at least 0"),
        ({"suppressed_ids": (0, -4)}, "`suppressed_ids` must hold token ids of at least 0"),
        ({"suppressed_ids": (0, 1, 3, 4), "min_length": 1}, "must leave at least one token"),
    ],
)
def test_errors(options, message):
    with pytest.raises(ValueError, match=message):
        search(ToyLanguage(), **({"max_length": 3} | options))


def test_errors_of_states_and_steps():
    options = IDS | {"max_length": 3}
    step = step_from_table({START: [0, 0, 0, 1, 0]})
    with pytest.raises(ValueError, match="`initial_states` must hold at least one tensor"):
        greedy_search(step, [], **options)
    with pytest.raises(ValueError, match="as many states as it was given.*0 states for 1"):
        greedy_search(
            lambda *arguments: (step(*arguments)[0], [], None),
            [ops.zeros((1, 1))],
            **options,
        )


def test_options_are_those_of_beam_search():
    options = dict(inspect.signature(beam_search).parameters)
    del options["beam_width"], options["n_best"]
    assert dict(inspect.signature(greedy_search).parameters) == options
