import pytest

from keras_bahdanau.translation.result import BLANK, Translation, translate_long_texts


def encode(text):
    """One id for each word."""
    return text.split()


def translate_with(n_best=1):
    """A translator that shouts, and the lists of parts that it was given."""
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


def test_blank_texts_between_others_keep_their_place():
    assert translate(["", "a", " ", "b"])[0] == [[""], ["A"], [""], ["B"]]


def test_ranks_are_joined_with_the_same_ranks():
    texts, _, _ = translate(["One two. Three four."], max_length=3, n_best=2)
    assert texts == [["ONE TWO. THREE FOUR.", "ONE TWO.! THREE FOUR.!"]]
