import numpy as np
import pytest

from keras_bahdanau.translation.result import (
    BLANK,
    Translation,
    join_translations,
    translate_long_texts,
)


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


def encode(text):
    """One id for each word."""
    return text.split()


def translate_with(n_best=1):
    """A translator to upper case, and the lists of parts that it was given."""
    calls = []

    def translate_parts(parts, prefixes):
        calls.append(parts)
        return [
            [Translation(part.upper() + "!" * rank, -1.0 - rank) for rank in range(n_best)]
            for part in parts
        ]

    return translate_parts, calls


def translate(texts, max_length=4, n_best=1):
    translate_parts, calls = translate_with(n_best)
    found, number_split = translate_long_texts(
        texts, translate_parts, encode=encode, max_length=max_length
    )
    return [[each.text for each in ranked] for ranked in found], number_split, calls


def test_texts_within_the_limit_stay_whole():
    texts, number_split, calls = translate(["a b c", "d"])
    assert texts == [["A B C"], ["D"]]
    assert number_split == 0
    assert calls == [["a b c", "d"]]


def test_the_limit_counts_the_end_token():
    assert translate(["a b c"], max_length=4)[1] == 0
    assert translate(["a b c"], max_length=3)[1] == 1


def test_long_texts_are_cut_at_sentence_ends_and_joined_in_order():
    texts, number_split, calls = translate(["One two. Three four. Five", "x", "a b c d e"])
    assert texts == [["ONE TWO. THREE FOUR. FIVE"], ["X"], ["A B C D E"]]
    assert number_split == 2
    assert calls == [["One two.", "Three four. Five", "x", "a b c", "d e"]]


def test_every_part_is_within_the_limit():
    _, _, (parts,) = translate(["word " * 100 + "end. " + "more " * 50], max_length=7)
    assert all(len(encode(part)) + 1 <= 7 for part in parts)
    assert " ".join(parts).split() == ("word " * 100 + "end. " + "more " * 50).split()


@pytest.mark.parametrize("texts", [[], [""], ["  ", ""]])
def test_blank_texts_need_no_translator(texts):
    found, number_split = translate_long_texts(
        texts, lambda *parts: pytest.fail("called"), encode=encode, max_length=4
    )
    assert found == [[BLANK]] * len(texts)
    assert number_split == 0


def test_a_prefix_goes_to_the_first_part_of_a_text():
    calls = []

    def translate_parts(*arguments):
        calls.append(arguments)
        return [[Translation(part, -1.0)] for part in arguments[0]]

    translate_long_texts(
        ["x", "One two. Three four."],
        translate_parts,
        encode=encode,
        max_length=3,
        prefixes=["p", "q"],
    )
    assert calls == [(["x", "One two.", "Three four."], ["p", "q", ""])]


def test_blank_texts_between_others_keep_their_place():
    assert translate(["", "a", " ", "b"])[0] == [[""], ["A"], [""], ["B"]]


def test_ranks_are_joined_with_the_same_ranks():
    texts, _, _ = translate(["One two. Three four."], max_length=3, n_best=2)
    assert texts == [["ONE TWO. THREE FOUR.", "ONE TWO.! THREE FOUR.!"]]
