import pytest

from keras_bahdanau.alignments import Alignment, check_alignments_path, write_alignments
from keras_bahdanau.errors import InputError

SENTENCES = [Alignment(["a"], ["x"], [[1]])]


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
