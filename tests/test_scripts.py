import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_bahdanau.training.corpora.scripts import NO_SCRIPT, script_name, scripts_of


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
    together = scripts_of(lines).tolist()
    assert together == [scripts_of([line])[0] for line in lines]
    for line, script in zip(lines, together, strict=True):
        if script != NO_SCRIPT and script_name(script) in ("Latin", "Cyrillic", "Greek"):
            letters = [each for each in line if unicodedata.category(each)[0] in "LNM"]
            assert any(script_name(script).upper() in unicodedata.name(x, "") for x in letters)
