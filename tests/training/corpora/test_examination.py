from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_bahdanau.training.corpora import examination, parallel_text
from keras_bahdanau.training.corpora.examination import (
    NO_SCRIPT,
    Finding,
    TemporaryArray,
    examine,
    find_duplicates,
    script_name,
    scripts_of,
)

TEXTS = st.sampled_from(["", " ", "a", "A", " a", "a b", "A  B", "где", "Где", "12", "b"])
PAIRS = st.lists(st.tuples(TEXTS, TEXTS), max_size=12)


def findings(pairs, directory, validation=(), test=()):
    found = examine(pairs, {"validation": list(validation), "test": list(test)}, directory)
    return [Finding(int(flags)) for flags in found.findings], found


def key(text):
    return " ".join(text.casefold().split())


def is_blank(pair):
    return not (key(pair[0]) and key(pair[1]))


def script(text):
    return "Cyrillic" if "г" in text.casefold() else "" if text == "12" else "Latin"


def expected_findings(pairs, validation, test):
    """The definition of every finding, one pair at a time, with all text at hand."""
    texts = [pair for pair in pairs if not is_blank(pair)]
    dominant = []
    for side in range(2):
        counts = Counter(filter(None, (script(pair[side]) for pair in texts)))
        # Where two scripts are equally frequent, the first by their codes, Cyrl before Latn.
        dominant.append(max(sorted(counts), key=counts.get, default=""))
    for index, pair in enumerate(pairs):
        if is_blank(pair):
            yield Finding.BLANK
            continue
        earlier, found = [each for each in pairs[:index] if not is_blank(each)], Finding(0)
        if pair in earlier:
            found |= Finding.REPEATED_PAIR
        elif pair[0] in [source for source, _ in earlier]:
            found |= Finding.REPEATED_SOURCE
        if pair[0].strip() == pair[1].strip():
            found |= Finding.COPY
        for side, flag in enumerate((Finding.SOURCE_SCRIPT, Finding.TARGET_SCRIPT)):
            if script(pair[side]) not in ("", dominant[side]):
                found |= flag
        for name, held_out in (("VALIDATION", validation), ("TEST", test)):
            if key(pair[0]) in [key(source) for source, _ in held_out]:
                found |= Finding[f"SOURCE_IN_{name}"]
            if tuple(map(key, pair)) in [tuple(map(key, each)) for each in held_out]:
                found |= Finding[f"PAIR_IN_{name}"]
        yield found


@given(pairs=PAIRS, validation=PAIRS, test=PAIRS, block=st.integers(1, 5))
def test_every_finding_is_what_its_definition_says(
    tmp_path_factory, pairs, validation, test, block
):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parallel_text.blocks, "__defaults__", (block,))
        patch.setattr(examination, "CHUNK", 2 * block)
        patch.setattr(examination.find_duplicates, "__defaults__", (block,))
        received, found = findings(pairs, tmp_path_factory.mktemp("c"), validation, test)
    assert received == list(expected_findings(pairs, validation, test))
    sources = {key(pair[0]) for pair in pairs if not is_blank(pair)}
    for name, held_out in (("validation", validation), ("test", test)):
        assert found.held_out[name] == sum(key(source) in sources for source, _ in held_out)


def test_the_script_of_a_side_is_that_of_most_of_its_lines(tmp_path):
    pairs = [("two dogs", "две собаки"), ("три", "три"), ("four: 4", "четыре: 4"), ("5", "5")]
    received, found = findings(pairs, tmp_path)
    assert (found.source_script, found.target_script) == ("Latin", "Cyrillic")
    assert received == [Finding(0), Finding.SOURCE_SCRIPT | Finding.COPY, Finding(0), Finding.COPY]


def test_sides_without_letters_have_no_script(tmp_path):
    received, found = findings([("1", "2"), ("3", "4")], tmp_path)
    assert (found.source_script, found.target_script) == ("", "")
    assert received == [Finding(0)] * 2


def test_a_line_end_inside_a_text_does_not_make_two_pairs_one(tmp_path):
    received, _ = findings([("a", "b\nc"), ("a\nb", "c"), ("a\xff", "b"), ("a", "\xffb")], tmp_path)
    assert Finding.REPEATED_PAIR not in received


def test_no_pairs(tmp_path):
    received, found = findings([], tmp_path, validation=[("a", "b")])
    assert received == []
    assert found.held_out == {"validation": 0, "test": 0}


def test_nothing_is_left_in_the_directory(tmp_path):
    _, found = findings([("a", "b")] * 3000, tmp_path)
    assert np.count_nonzero(found.findings & np.uint16(Finding.REPEATED_PAIR)) == 2999
    assert list(tmp_path.iterdir()) == []


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


# Few values, of both ends and of the middle of the range.
HASHES = st.lists(st.sampled_from([0, 1, 2**31, 2**32, 2**63 - 1, 2**63, 2**64 - 1]))


@given(parts=st.lists(HASHES), chunk=st.integers(1, 9), per_pass=st.integers(1, 9))
def test_duplicates_are_found_however_few_are_sorted_at_a_time(tmp_path_factory, **case):
    parts, per_pass = case["parts"], case["per_pass"]
    with (
        pytest.MonkeyPatch.context() as patch,
        TemporaryArray("<u8", tmp_path_factory.mktemp("c")) as array,
    ):
        patch.setattr(examination, "CHUNK", case["chunk"])
        for part in parts:
            array.append(np.array(part, dtype=np.uint64))
        hashes = [value for part in parts for value in part]
        assert array.read().tolist() == hashes
        expected = [value in hashes[:index] for index, value in enumerate(hashes)]
        assert find_duplicates(array, per_pass).tolist() == expected


def test_a_temporary_array_leaves_no_file(tmp_path):
    with TemporaryArray("u1", tmp_path) as array:
        array.append([1, 2])
        for _ in range(2):
            ((where, values),) = array.chunks()
            assert (where, values.tolist()) == (slice(0, 2), [1, 2])
    assert list(tmp_path.iterdir()) == []
