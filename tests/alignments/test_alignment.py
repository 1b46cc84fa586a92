import math

import numpy as np
import pytest

from keras_bahdanau.alignments import Alignment


def test_weights_become_a_float32_matrix_of_target_by_source():
    alignment = Alignment(["a", "b", "c"], ["x", "y"], [[1, 0, 0], [0, 0.5, 0.5]])
    assert alignment.weights.dtype == np.float32
    assert alignment.weights.shape == (2, 3)
    assert not alignment.is_blank


@pytest.mark.parametrize(("source", "target"), [([], []), (["a"], []), ([], ["x", "y"])])
def test_a_side_without_words_is_blank(source, target):
    alignment = Alignment(source, target, [])
    assert alignment.is_blank
    assert alignment.weights.shape == (len(target), len(source))


def test_weights_of_another_shape_are_refused():
    with pytest.raises(ValueError, match=r"\(2, 1\).*Received: shape \(1, 2\)"):
        Alignment(["a"], ["x", "y"], [[0.5, 0.5]])


@pytest.mark.parametrize("weight", [-0.5, 1.5, math.nan, math.inf])
def test_weights_that_are_no_weights_are_refused(weight):
    with pytest.raises(ValueError, match="between 0 and 1"):
        Alignment(["a"], ["x"], [[weight]])


def test_rounding_beyond_one_is_clipped():
    assert Alignment(["a"], ["x"], [[1.0005]]).weights[0, 0] == 1


def test_a_score_that_is_no_number_is_refused():
    with pytest.raises(ValueError, match="score=nan"):
        Alignment(["a"], ["x"], [[1]], score=math.nan)


def test_heading_has_number_title_and_score():
    assert Alignment([], [], []).heading(3) == "3."
    heading = Alignment([], [], [], score=-1.234, title="second best").heading(1)
    assert "1." in heading and "second best" in heading and "-1.23" in heading


TWO = Alignment(["a", "b", "c"], ["x", "y"], [[0.25, 0.75, 0], [0.5, 0, 0.5]])


def test_a_link_is_the_most_attended_word_and_the_first_of_equals():
    assert TWO.links() == [(1, 0), (0, 1)]
    assert TWO.pharaoh() == "1-0 0-1"


def test_a_word_that_attends_to_nothing_has_no_link():
    assert Alignment(["a"], ["x", "y"], [[0], [0.5]]).pharaoh() == "0-1"
    assert Alignment([], ["x"], []).pharaoh() == Alignment(["a"], [], []).pharaoh() == ""


def test_weights_as_text():
    assert TWO.soft() == "0.25,0.75,0 0.5,0,0.5"
