import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_bahdanau.training.corpora.examination import NO_SCRIPT, script_name, scripts_of

ALPHABETS = {
    "Latin": "abzäßéŁıAZªº\u212a",
    "Cyrillic": "абяёіЖЯ",
    "Greek": "αβωάςΔΩ\u2126",
    "Hebrew": "אבתםש",
    "Arabic": "ابيةپ",
    "Devanagari": "अकहािञ",
    "Thai": "กขฮะา",
    "Hangul": "가힣한ㄱ",
    "Han and kana": "犬両のテ々𠀀",
}
# Digits, punctuation, combining accents, symbols, emoji: of no script.
SHARED = " 09①.,!?«»–ー'\u0301\u200d€×µ\U0001f642\n"


def names(*lines):
    return [script_name(each) if each != NO_SCRIPT else None for each in scripts_of(lines)]


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("Two dogs run, 12:30!", "Latin"),
        ("naïve e\u0301t\u00e9", "Latin"),
        ("Две собаки", "Cyrillic"),
        ("Δύο σκυλιά", "Greek"),
        ("שני כלבים", "Hebrew"),
        ("दो कुत्ते", "Devanagari"),
        ("개 두 마리", "Hangul"),
        ("两只狗在跑", "Han and kana"),
        ("二匹の犬がテレビを見る", "Han and kana"),
        ("犬 dog dog", "Latin"),
        ("ab где", "Cyrillic"),
    ],
)
def test_the_script_of_most_letters(line, name):
    assert names(line) == [name]


@pytest.mark.parametrize("line", ["", " ", "12:30 – 14:00", "🙂 !?", "ab вг", "abc где 犬犬犬"])
def test_no_letters_or_no_majority(line):
    assert names("first", line, "последний") == ["Latin", None, "Cyrillic"]


def test_no_lines():
    assert len(scripts_of([])) == 0


@given(st.lists(st.text(st.characters(codec="utf-8"))))
def test_lines_do_not_depend_on_those_beside_them(lines):
    assert scripts_of(lines).tolist() == [scripts_of([line])[0] for line in lines]


def characters(script):
    return st.tuples(st.just(script), st.sampled_from(ALPHABETS.get(script, SHARED)))


@given(st.lists(st.lists(st.sampled_from([*ALPHABETS, None]).flatmap(characters))))
def test_the_script_that_was_drawn_for_most_letters(lines):
    expected = []
    for line in lines:
        drawn = [script for script, _ in line if script]
        most = max(drawn, key=drawn.count, default=None)
        expected.append(most if 2 * drawn.count(most) > len(drawn) else None)
    assert names(*("".join(character for _, character in line) for line in lines)) == expected
