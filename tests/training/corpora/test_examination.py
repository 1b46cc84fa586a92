from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_bahdanau.training.corpora import examination, parallel_text
from keras_bahdanau.training.corpora.examination import Finding, examine

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
        patch.setattr(examination.repeated, "__defaults__", (block,))
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
