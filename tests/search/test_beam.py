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


def search(language, beam_width, **options):
    return language.search_with(beam_search, beam_width=beam_width, **options)


@pytest.mark.parametrize("length_penalty", [0.0, 0.6, 1, 2.5])
@pytest.mark.parametrize("max_length, min_length", [(5, 0), (5, 2), (1, 0), (3, 4)])
def test_wide_beam_finds_the_enumerated_best(length_penalty, max_length, min_length):
    language = ToyLanguage(sentences=2, seed=max_length)
    limits = {"max_length": max_length, "min_length": min_length, "suppressed_ids": (PAD, START)}
    count = len(language.hypotheses(0, **limits))
    # As wide as there are sequences: nothing is ever pruned, so the order must be the true one.
    result = search(language, count, length_penalty=length_penalty, n_best=count, **limits)
    for sentence in range(2):
        expected = language.n_best(count, length_penalty, sentence, **limits)
        assert [tokens_of(result, sentence, rank) for rank in range(count)] == [
            tokens for tokens, _, _ in expected
        ]
        np.testing.assert_allclose(
            ops.convert_to_numpy(result.log_probabilities)[sentence],
            [value for _, value, _ in expected],
            rtol=1e-5,
        )
        np.testing.assert_allclose(
            ops.convert_to_numpy(result.scores)[sentence],
            [score for _, _, score in expected],
            rtol=1e-5,
        )


def test_wide_beam_over_the_whole_vocabulary():
    language = ToyLanguage(vocabulary_size=4, seed=3)
    count = len(language.hypotheses(0, 3))
    result = search(language, count, max_length=3, n_best=5, length_penalty=0.0)
    expected = language.n_best(5, 0.0, 0, 3)
    assert [tokens_of(result, 0, rank) for rank in range(5)] == [each[0] for each in expected]


def test_beam_wins_where_greedy_loses():
    # Greedy takes token 3 (0.6), after which nothing is likely; 4 (0.4) ends for certain.
    step = step_from_table(
        {
            START: [0, 0, 0, 0.6, 0.4],
            3: [0, 0, 0.5, 0.25, 0.25],
            4: [0, 0, 1, 0, 0],
        }
    )
    options = IDS | {"max_length": 6}
    states = [ops.zeros((1, 1))]
    greedy = greedy_search(step, states, **options)
    beam = beam_search(step, states, beam_width=2, length_penalty=0.0, n_best=2, **options)
    assert tokens_of(greedy, 0) == (3, END)
    assert tokens_of(beam, 0) == (4, END)
    assert tokens_of(beam, 0, rank=1) == (3, END)
    probabilities = np.exp(ops.convert_to_numpy(beam.log_probabilities)[0])
    np.testing.assert_allclose(probabilities, [0.4, 0.3], rtol=1e-6)


@pytest.mark.parametrize("options", [{}, {"min_length": 3, "suppressed_ids": (PAD, START)}])
def test_beam_of_one_is_greedy(options):
    language = ToyLanguage(sentences=6, vocabulary_size=7)
    beam = search(language, 1, max_length=8, **options)
    greedy = language.search_with(greedy_search, max_length=8, **options)
    for name, value in arrays_of(greedy).items():
        np.testing.assert_array_equal(arrays_of(beam)[name], value, err_msg=name)


@pytest.mark.parametrize("beam_width", [2, 5])
def test_log_probabilities_and_attention_are_those_of_the_tokens(beam_width):
    language = ToyLanguage(sentences=5, vocabulary_size=8, seed=4)
    result = search(language, beam_width, max_length=9, n_best=beam_width)
    values = arrays_of(result)
    paths = set()
    for sentence, rank in np.ndindex(5, beam_width):
        tokens = tokens_of(result, sentence, rank)
        paths.add((sentence, tokens))
        length = len(tokens)
        assert tokens[-1] == END or length == 9
        assert END not in tokens[:-1]
        np.testing.assert_allclose(
            values["log_probabilities"][sentence, rank],
            language.token_log_probabilities(sentence, tokens).sum(),
            rtol=1e-5,
        )
        attention = values["attention_scores"][sentence, rank]
        np.testing.assert_array_equal(attention[:length], language.attention(sentence, tokens))
        assert not attention[length:].any()
        assert not values["token_ids"][sentence, rank, length:].any()
    assert len(paths) == 5 * beam_width
    assert (np.diff(values["scores"], axis=1) <= 0).all()


def test_ended_hypothesis_is_frozen():
    # Whatever follows the end would be free, so a beam that went on would still look the best.
    step = step_from_table(
        {
            START: [0, 0, 0, 0.5, 0.5],
            3: [0, 0, 0.9, 0.1, 0],
            4: [0, 0, 0.1, 0, 0.9],
            END: [0, 0, 0, 1, 0],
            PAD: [0, 0, 0, 1, 0],
        }
    )
    result = beam_search(
        step, [ops.zeros((1, 1))], beam_width=3, max_length=12, n_best=3, length_penalty=0.0, **IDS
    )
    assert tokens_of(result, 0) == (3, END)
    np.testing.assert_allclose(result.log_probabilities[0, 0], np.log(0.45), rtol=1e-6)
    assert not ops.convert_to_numpy(result.token_ids)[0, 0, 2:].any()


def test_sentence_does_not_depend_on_its_neighbours():
    language = ToyLanguage(sentences=4, vocabulary_size=6, seed=5)
    limits = np.array([3, 12, 1, 7], dtype="int32")
    together = arrays_of(search(language, 4, max_length=limits, n_best=4))
    assert (together["lengths"] <= limits[:, None]).all()
    for sentence, limit in enumerate(limits):
        alone = ToyLanguage(vocabulary_size=6)
        alone.logits = language.logits[sentence : sentence + 1]
        alone.memory = language.memory[sentence : sentence + 1]
        for name, value in arrays_of(search(alone, 4, max_length=int(limit), n_best=4)).items():
            company = together[name][sentence]
            if name in ("token_ids", "attention_scores"):
                company = company[:, :limit]
            # A vectorised exponential may round the last digit by where a row lies in memory.
            np.testing.assert_allclose(company, value[0], rtol=1e-6, err_msg=name)


def test_max_length_of_zero_gives_the_empty_sequence():
    language = ToyLanguage(sentences=2)
    result = arrays_of(search(language, 3, max_length=np.array([0, 4]), n_best=2))
    assert result["lengths"][0].tolist() == [0, 0]
    assert not result["token_ids"][0].any()
    assert not result["attention_scores"][0].any()
    assert result["log_probabilities"][0].tolist() == [0, -1e9]
    assert result["lengths"][1].all()


def test_missing_hypotheses_are_empty_and_last():
    language = ToyLanguage()
    # Two words and the end: three sequences of one token.
    result = arrays_of(search(language, 5, max_length=1, n_best=5, suppressed_ids=(PAD, START)))
    assert result["lengths"][0].tolist() == [1, 1, 1, 0, 0]
    assert sorted(result["token_ids"][0, :, 0].tolist()) == [PAD, PAD, END, 3, 4]
    assert result["log_probabilities"][0, 3:].tolist() == [-1e9, -1e9]
    assert result["scores"][0, 3:].tolist() == [-1e9, -1e9]


def test_suppressed_tokens_never_appear():
    language = ToyLanguage(sentences=3, vocabulary_size=7)
    language.logits[:, :, [PAD, START, 4]] += 30
    result = search(language, 4, max_length=6, n_best=4, suppressed_ids=[PAD, START, 4])
    for sentence, rank in np.ndindex(3, 4):
        tokens = tokens_of(result, sentence, rank)
        assert not {PAD, START, 4} & set(tokens)
        # Their probability still counts: suppression is no renormalisation.
        np.testing.assert_allclose(
            ops.convert_to_numpy(result.log_probabilities)[sentence, rank],
            language.token_log_probabilities(sentence, tokens).sum(),
            rtol=1e-5,
        )


def test_states_follow_their_hypotheses():
    # The state counts the threes so far. The end comes for certain after two of them, never before.
    def step(token_ids, states, constants):
        threes = states[0] + ops.cast(token_ids == 3, "float32")
        words = ops.convert_to_tensor([[-99.0, -99, -99, 0.5, 0, 0.2]])
        end = ops.convert_to_tensor([[-99.0, -99, 0, -99, -99, -99]])
        return ops.where(threes[:, None] == 2, end, words), [threes], None

    result = beam_search(step, [ops.zeros((2,))], beam_width=8, max_length=12, n_best=3, **IDS)
    for sentence, rank in np.ndindex(2, 3):
        *words, last = tokens_of(result, sentence, rank)
        assert last == END
        assert words.count(3) == 2
        assert words[-1] == 3


def test_loop_ends_when_all_sentences_have_ended():
    if keras.config.backend() == "jax":
        pytest.skip("JAX traces the step once, so its calls cannot be counted")
    calls = []
    table = step_from_table({START: [0, 0, 0, 1, 0], 3: [0, 0, 1, 0, 0]})

    def step(token_ids, states, constants):
        calls.append(1)
        return table(token_ids, states, constants)

    result = beam_search(step, [ops.zeros((3, 1))], beam_width=1, max_length=50, **IDS)
    assert tokens_of(result, 2) == (3, END)
    assert len(calls) == 2


@pytest.mark.parametrize(
    "options, message",
    [
        ({"beam_width": 0}, "`beam_width` must be an integer of at least 1"),
        ({"beam_width": 2.0}, "must be an integer of at least 1. Received: beam_width=2.0"),
        ({"n_best": 3}, "`n_best` must not be larger than `beam_width`. Received: n_best=3"),
        ({"n_best": 0}, "`n_best` must be an integer of at least 1"),
        ({"length_penalty": -1}, "`length_penalty` must not be negative"),
        ({"max_length": 0}, "`max_length` must be an integer of at least 1"),
        ({"min_length": -1}, "`min_length` must be an integer of at least 0"),
        ({"suppressed_ids": (0, -4)}, "`suppressed_ids` must hold token ids of at least 0"),
        ({"suppressed_ids": range(5)}, "must leave at least one token. Received: 5 ids"),
    ],
)
def test_errors(options, message):
    language = ToyLanguage()
    options = {"beam_width": 2, "max_length": 3} | options
    with pytest.raises(ValueError, match=message):
        search(language, **options)
