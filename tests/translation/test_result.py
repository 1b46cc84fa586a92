import numpy as np
import pytest

from keras_bahdanau.translation.result import BLANK, Translation, join_translations


def part(text, log_probability, source, target, attention=True):
    weights = np.full((len(target), len(source)), 1 / max(len(source), 1), "float32")
    return Translation(
        text, log_probability, tuple(source), tuple(target), weights if attention else None
    )


ONE = part("uno dos", -1.0, ["▁one", "▁two", "</s>"], ["▁uno", "▁dos"])
TWO = part("tres", -0.5, ["▁three", "</s>"], ["▁tres", "</s>", "x"])


def test_one_part_is_the_whole():
    assert join_translations([ONE]) is ONE


def test_parts_are_joined_in_order():
    joined = join_translations([ONE, TWO])
    assert joined.text == "uno dos tres"
    assert joined.log_probability == -1.5
    assert joined.source_pieces == ONE.source_pieces + TWO.source_pieces
    assert joined.target_pieces == ONE.target_pieces + TWO.target_pieces


def test_no_weight_goes_from_one_part_to_another():
    attention = join_translations([ONE, TWO]).attention
    assert attention.shape == (5, 5)
    np.testing.assert_array_equal(attention[:2, :3], ONE.attention)
    np.testing.assert_array_equal(attention[2:, 3:], TWO.attention)
    assert not attention[:2, 3:].any()
    assert not attention[2:, :3].any()


def test_a_blank_part_adds_no_space():
    assert join_translations([ONE, part("", -2.0, ["?"], []), TWO]).text == "uno dos tres"


def test_parts_without_attention_give_none():
    joined = join_translations([ONE, part("tres", -0.5, ["x"], ["y"], attention=False)])
    assert joined.attention is None


def test_the_blank_translation():
    assert (BLANK.text, BLANK.log_probability, BLANK.attention.shape) == ("", 0.0, (0, 0))


def test_words_of_a_text_in_parts_are_numbered_through():
    joined = join_translations([ONE, TWO])
    alignment = joined.word_alignment()
    assert alignment.source_words == ["one", "two", "three"]
    assert alignment.target_words == ["uno", "dos", "tres", "x"]
    assert alignment.pharaoh() == "0-0 0-1 2-2 2-3"
    assert joined.word_alignment(keep_ends=True).source_words[2] == "</s>"


def test_no_alignment_without_attention():
    with pytest.raises(ValueError, match="return_alignments=True"):
        Translation("a", 0.0).word_alignment()
    assert BLANK.word_alignment().is_blank
