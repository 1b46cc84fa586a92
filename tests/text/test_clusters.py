import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_bahdanau.text.splitting import cluster_ends


def clusters(text):
    return [text[a:b] for a, b in itertools.pairwise([0, *cluster_ends(text)])]


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
