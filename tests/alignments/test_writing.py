import html.parser
import json

import numpy as np
import pytest

from keras_bahdanau.alignments import (
    Alignment,
    check_alignments_path,
    write_alignments,
    write_page,
)
from keras_bahdanau.errors import InputError

SENTENCES = [Alignment(["a"], ["x"], [[1]])]
HOSTILE = [
    "<script>alert(1)</script>",
    "</script><img src=x onerror=alert(2)>",
    "<!--<script>",
    "\"'&amp;",
    "{{data}}{{title}}",
    "\\u003c",
    "\u2028\x00\ud800",
    "שלום",
    "😀",
]


@pytest.mark.parametrize(
    ("name", "beginning"),
    [("a.png", b"\x89PNG"), ("A.PNG", b"\x89PNG"), ("a.html", b"<!doctype html>")],
)
def test_the_suffix_chooses_the_picture(tmp_path, name, beginning):
    check_alignments_path(tmp_path / name)
    write_alignments(tmp_path / name, SENTENCES)
    assert (tmp_path / name).read_bytes().startswith(beginning)
    assert [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("name", ["a.pdf", "a", ".png", "a.png.txt"])
def test_another_suffix_is_refused(tmp_path, name):
    for refuse in (check_alignments_path, lambda path: write_alignments(path, SENTENCES)):
        with pytest.raises(InputError, match=r"\.png .*\.html .*Received: .*" + name):
            refuse(tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_a_directory_is_refused(tmp_path):
    (tmp_path / "a.html").mkdir()
    with pytest.raises(InputError, match="directory"):
        check_alignments_path(tmp_path / "a.html")


class Page(html.parser.HTMLParser):
    """The elements of a page, and the text of its script elements by their type."""

    def __init__(self, text):
        super().__init__()
        self.elements = []
        self.texts = {}
        self.inside = None
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        self.inside = dict(attributes).get("type", tag)

    def handle_endtag(self, tag):
        self.inside = None

    def handle_data(self, data):
        self.texts[self.inside] = self.texts.get(self.inside, "") + data


def read(path):
    page = Page(path.read_text(encoding="utf-8"))
    return page, json.loads(page.texts["application/json"])["sentences"]


def test_the_data_come_back(tmp_path):
    weights = np.array([[0.25, 0.75], [1.0, 0.0], [0.1234, 0.0004]])
    sentence = Alignment(["a", "</s>"], ["x", "y", "z"], weights, score=-1.5)
    write_page(tmp_path / "a.html", [sentence, Alignment([], [], [])])
    _, (first, second) = read(tmp_path / "a.html")
    assert first["source"] == ["a", "</s>"]
    assert first["target"] == ["x", "y", "z"]
    np.testing.assert_allclose(np.array(first["weights"]) / 1000, weights, atol=0.0005)
    assert "-1.50" in first["heading"]
    assert (second["source"], second["target"], second["weights"]) == ([], [], [])


def test_hostile_text_stays_text(tmp_path):
    plain = Alignment(["a"], ["x"], [[1]])
    weights = np.full((len(HOSTILE), len(HOSTILE)), 0.1)
    hostile = Alignment(HOSTILE, HOSTILE, weights, title=HOSTILE[1])
    write_page(tmp_path / "plain.html", [plain])
    write_page(tmp_path / "hostile.html", [hostile], title="".join(HOSTILE))
    expected, _ = read(tmp_path / "plain.html")
    page, (sentence,) = read(tmp_path / "hostile.html")
    assert page.elements == expected.elements
    assert page.texts["script"] == expected.texts["script"]
    expected_words = [word.replace("\ud800", "\ufffd") for word in HOSTILE]
    assert sentence["source"] == sentence["target"] == expected_words
    assert HOSTILE[1] in sentence["heading"]
    assert page.texts["title"] == page.texts["h1"]
    assert page.texts["h1"].startswith("<script>alert(1)</script></script><img")


def test_the_page_needs_nothing_but_itself(tmp_path):
    write_page(tmp_path / "a.html", [Alignment(["a"], ["x"], [[1]])])
    page, _ = read(tmp_path / "a.html")
    text = (tmp_path / "a.html").read_text(encoding="utf-8")
    assert "//" not in text.replace("  // ", "")
    assert "url(" not in text and "@import" not in text
    for tag, attributes in page.elements:
        for name in ("src", "href", "data", "action", "poster"):
            assert attributes.get(name, "data:").startswith("data:"), (tag, attributes)
    policies = [a["content"] for _, a in page.elements if "http-equiv" in a]
    assert policies and policies[0].startswith("default-src 'none'")


@pytest.mark.parametrize("sentences", [[], [Alignment([], [], [])], [Alignment(["</s>"], [], [])]])
def test_blank_sentences_keep_their_place(tmp_path, sentences):
    write_page(tmp_path / "a.html", sentences)
    assert len(read(tmp_path / "a.html")[1]) == len(sentences)
