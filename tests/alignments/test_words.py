import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_bahdanau.alignments import merge_pieces, word_attention

PIECES = st.lists(st.sampled_from(["▁", "▁the", "▁d", "og", "s", ".", "猫", "が", "▁好", "</s>"]))


def test_pieces_with_the_mark_open_words():
    words, groups = merge_pieces(["▁The", "▁d", "og", "s", "▁bark", ".", "</s>"])
    assert words == ["The", "dogs", "bark.", "</s>"]
    assert groups == [[0], [1, 2, 3], [4, 5], [6]]


def test_the_first_piece_opens_a_word_without_a_mark():
    assert merge_pieces(["do", "g", "▁x"]) == (["dog", "x"], [[0, 1], [2]])


def test_nothing_merges_to_nothing():
    assert merge_pieces([]) == ([], [])


def test_a_mark_alone_joins_what_follows_and_stays_visible_without():
    assert merge_pieces(["▁", "(", "▁a"])[0] == ["(", "a"]
    assert merge_pieces(["▁", "猫"])[0] == ["猫"]
    assert merge_pieces(["▁", "▁a"])[0] == ["▁", "a"]


def test_scripts_without_spaces_keep_their_pieces_apart():
    words, _ = merge_pieces(["▁", "私は", "猫が", "好き", "です", "。"])
    assert words == ["私は", "猫が", "好き", "です", "。"]


@given(PIECES)
def test_every_piece_is_in_one_word_in_order(pieces):
    words, groups = merge_pieces(pieces)
    assert [index for group in groups for index in group] == list(range(len(pieces)))
    assert len(words) == len(groups)
    assert all(words)


def test_source_pieces_are_summed_and_target_pieces_averaged():
    attention = [
        # ▁a   ▁b   c   </s>
        [0.50, 0.25, 0.25, 0.0],
        [0.10, 0.20, 0.30, 0.4],
    ]
    source, target, weights = word_attention(attention, ["▁a", "▁b", "c", "</s>"], ["▁x", "y"])
    assert source == ["a", "bc", "</s>"]
    assert target == ["xy"]
    np.testing.assert_allclose(weights, [[0.3, 0.5, 0.2]], rtol=1e-6)


def test_one_more_row_or_column_is_the_end_of_the_sentence():
    attention = [[0.75, 0.25], [0.0, 1.0]]
    told = word_attention(attention, ["▁a", "</s>"], ["▁x", "</s>"])
    untold = word_attention(attention, ["▁a"], ["▁x"])
    assert told[:2] == untold[:2] == (["a", "</s>"], ["x", "</s>"])
    np.testing.assert_array_equal(told[2], untold[2])
    np.testing.assert_array_equal(untold[2], attention)


def test_blank_sides_give_empty_matrices():
    assert word_attention(np.zeros((0, 0)), [], [])[2].shape == (0, 0)
    source, target, weights = word_attention(np.ones((1, 1)), [], [])
    assert (source, target, weights.tolist()) == (["</s>"], ["</s>"], [[1.0]])


@given(PIECES, PIECES, st.integers(0, 2**32 - 1))
def test_a_row_keeps_the_sum_of_its_pieces(source, target, seed):
    attention = np.random.default_rng(seed).dirichlet(np.ones(len(source) or 1), len(target))
    attention = attention[:, : len(source)]
    _, words, weights = word_attention(attention, source, target)
    assert weights.shape[0] == len(words)
    np.testing.assert_allclose(weights.sum(axis=1), float(bool(source)), atol=1e-5)


@pytest.mark.parametrize("shape", [(3, 1), (0, 1), (1, 0), (1, 4)])
def test_attention_of_another_size_is_refused(shape):
    with pytest.raises(ValueError, match=f"Received: ({shape[0]} rows|{shape[1]} columns)"):
        word_attention(np.zeros(shape), ["▁a", "▁b"][: 1 + (shape[1] == 4)], ["▁x"])


def test_attention_of_another_rank_is_refused():
    with pytest.raises(ValueError, match=r"Received: shape \(1, 1, 1\)"):
        word_attention(np.zeros((1, 1, 1)), ["▁a"], ["▁x"])


def test_ends_are_left_out_wherever_they_are():
    attention = np.arange(12).reshape(3, 4)
    source, target, weights = word_attention(
        attention, ["▁a", "</s>", "▁b", "</s>"], ["▁x", "</s>", "y"], keep_ends=False
    )
    assert (source, target) == (["a", "b"], ["x", "y"])
    np.testing.assert_array_equal(weights, [[0, 2], [8, 10]])
    untold = word_attention(np.ones((2, 2)), ["▁a"], ["▁x"], keep_ends=False)
    assert untold[:2] == (["a"], ["x"])
