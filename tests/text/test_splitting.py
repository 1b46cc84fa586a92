import itertools

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from keras_bahdanau.text.splitting import cluster_ends, split_text

TEXTS = st.one_of(
    st.text(max_size=80),
    st.text(alphabet='ab .!?")。！e\u0301\u200d👩🇩🇪\n', max_size=120),
    st.lists(st.sampled_from(["Dogs", "bark.", "J.", "“Why?”", "猫。", "x" * 30]), max_size=30).map(
        " ".join
    ),
)


def words(text):
    return len(text.split())


def bumpy(text):
    """Like pieces: a whole word of up to five letters is one, a part of it may be several."""
    return sum(1 if len(word) == 5 else max(1, (len(word) + 1) // 2) for word in text.split(" "))


def solid(text):
    return "".join(text.split())


def clusters(text):
    return [text[a:b] for a, b in itertools.pairwise([0, *cluster_ends(text)])]


def test_a_text_that_fits_is_returned_as_it_is():
    assert split_text("  a  b ", words, 2) == ["  a  b "]


@pytest.mark.parametrize("text", ["", " ", "\n\t \u3000"])
def test_a_blank_text_has_no_parts(text):
    assert split_text(text, len, 1) == []


def test_parts_take_as_many_whole_sentences_as_fit():
    text = "One two. Three four five! Six? Seven eight nine ten."
    assert split_text(text, words, 6) == ["One two. Three four five! Six?", "Seven eight nine ten."]
    assert split_text(text, words, 5) == [
        "One two. Three four five!",
        "Six? Seven eight nine ten.",
    ]
    assert split_text(text, words, 4) == [
        "One two.",
        "Three four five! Six?",
        "Seven eight nine ten.",
    ]


@pytest.mark.parametrize(
    "sentences",
    [
        ["He said “Stop it now!”", "Then he left us."],
        ["(I saw it there.)", "You did not see."],
        ["Well, I do not…", "Never mind it then."],
        ["ما اسمك يا صديقي؟", "اسمي علي من مصر."],
        ["यह एक घर है।", "वह एक पेड़ है।"],
        ["Pi is 3.14 here.", "The end has come."],
        ["Ask J. R. Smith.", "He knows it all."],
        ["At U.S. prices now.", "Not at others, though."],
    ],
)
def test_sentences_end_where_a_reader_sees_it(sentences):
    assert split_text(" ".join(sentences), words, 4 if words(sentences[0]) < 5 else 5) == sentences


def test_chinese_and_japanese_sentences_need_no_space():
    text = "私は猫が好きです。「彼は犬が好き。」你好吗？很好！"
    assert split_text(text, len, 10) == [
        "私は猫が好きです。",
        "「彼は犬が好き。」",
        "你好吗？很好！",
    ]


def test_a_long_sentence_is_cut_at_spaces():
    assert split_text("aa bb cc dd ee. ff", len, 6) == ["aa bb", "cc dd", "ee. ff"]


def test_a_long_word_is_cut_between_characters_only():
    assert split_text("e\u0301" * 5, len, 5) == ["e\u0301" * 2] * 2 + ["e\u0301"]
    assert split_text("ab 🇩🇪🇫🇷🇮🇹", len, 5) == ["ab", "🇩🇪🇫🇷", "🇮🇹"]


def test_a_character_that_is_too_long_alone_is_cut_too():
    text = "a" + "\u0301" * 9
    assert [len(part) for part in split_text(text, len, 4)] == [4, 4, 2]


def test_what_measures_too_much_in_every_size_is_still_cut():
    assert split_text("ab c", lambda text: 9, 3) == ["a", "b", "c"]


@given(TEXTS, st.integers(1, 40), st.sampled_from([len, bumpy]))
@example("a\u200d" * 50, 7, len)
@example(" \u200c", 1, len)
def test_parts_fit_and_are_the_text_in_order(text, limit, measure):
    parts = split_text(text, measure, limit)
    assert solid("".join(parts)) == solid(text)
    assert all(part.strip() for part in parts)
    assert all(measure(part) <= limit or len(part) == 1 for part in parts)


@given(TEXTS)
def test_no_cluster_is_cut_where_each_fits(text):
    whole = clusters(text)
    parts = split_text(text, len, max(map(len, whole), default=1))
    kept = [cluster for part in parts for cluster in clusters(part)]
    assert [c for c in kept if not c.isspace()] == [c for c in whole if not c.isspace()]


@pytest.mark.parametrize("text", ["x" * 10_000, "猫" * 10_000, "ab " * 3_333, "Go on. " * 1_400])
def test_the_work_grows_with_the_text_and_not_with_its_square(text):
    measured = []

    def measure(part):
        measured.append(len(part))
        return len(part)

    parts = split_text(text, measure, 100)
    assert len(measured) <= 25 * len(parts)
    assert sum(measured) <= 25 * 2 * len(text)


def test_a_sentence_that_fits_is_found_behind_a_beginning_that_does_not():
    # The sentence measures 3, its beginning up to the last letter but one measures 4.
    assert split_text("abcde abcde abcd. efghi", bumpy, 3) == ["abcde abcde abcd.", "efghi"]


def test_a_limit_below_one_is_refused():
    with pytest.raises(ValueError, match="limit=0"):
        split_text("a", len, 0)


@pytest.mark.parametrize(
    "expected",
    [
        ["a", "b", " ", "c"],
        ["e\u0301\u0323", "x"],
        ["\r\n", "\n"],
        ["👩‍👩‍👧", "👍🏽", "❤️", "a"],
        ["🇩🇪", "🇫🇷", "🇪"],
        ["1️⃣", "2️⃣"],
        ["🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f", "b"],
        ["\u1112\u1161\u11ab", "\u1100\u1173\u11af", "한", "글"],
        ["हि", "न्दी"],
        ["กำ", "ก็"],
        ["ﾊﾞ", "ﾊ"],
    ],
)
def test_clusters_of_unicode_annex_29(expected):
    assert clusters("".join(expected)) == expected


@given(st.text())
def test_clusters_are_the_text(text):
    assert "".join(clusters(text)) == text
    assert all(clusters(text))
