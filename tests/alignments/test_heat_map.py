import numpy as np
import pytest
from matplotlib import image

from keras_bahdanau.alignments import Alignment, write_heat_map
from keras_bahdanau.errors import InputError

SIGNATURE = b"\x89PNG\r\n\x1a\n"


def diagonal(length):
    words = [f"word{index}" for index in range(length)]
    return Alignment(words, words, np.eye(length))


def draw(path, *sentences):
    write_heat_map(path, sentences)
    assert path.read_bytes().startswith(SIGNATURE)
    return image.imread(path)[..., :3]


def dark_pixels(picture):
    """Rows and columns of the pixels in the darkest blue of the map, the one of weight 1."""
    blue = (np.abs(picture - np.array([8, 48, 107]) / 255) < 0.02).all(axis=-1)
    # The scale of colours ends in the same blue, at the bottom of the picture.
    blue[-90:] = False
    return np.nonzero(blue)


def test_the_dark_cell_is_where_the_weight_is(tmp_path):
    source = ["one", "two", "three", "four"]
    centres = {}
    for row, column in [(0, 0), (0, 3), (2, 0), (2, 3)]:
        weights = np.zeros((3, 4))
        weights[row, column] = 1
        rows, columns = dark_pixels(draw(tmp_path / "a.png", Alignment(source, ["x"] * 3, weights)))
        centres[row, column] = (rows.mean(), columns.mean())
        assert np.ptp(rows) < 40 and np.ptp(columns) < 40
    # The first target word is at the top, the first source word at the left.
    down = centres[2, 0][0] - centres[0, 0][0]
    right = centres[0, 3][1] - centres[0, 0][1]
    assert down / 2 == pytest.approx(right / 3, abs=1)
    assert down > 0
    assert centres[2, 3] == pytest.approx((centres[0, 0][0] + down, centres[0, 0][1] + right))


def test_weights_are_comparable_between_pictures(tmp_path):
    half = draw(tmp_path / "half.png", Alignment(["a"], ["x"], [[0.5]]))
    assert dark_pixels(half)[0].size == 0


def test_the_picture_grows_with_the_words_and_the_sentences(tmp_path):
    small = draw(tmp_path / "3.png", diagonal(3)).shape
    large = draw(tmp_path / "60.png", diagonal(60)).shape
    two = draw(tmp_path / "two.png", diagonal(3), diagonal(3)).shape
    assert large[0] > small[0] + 57 * 25 and large[1] > small[1] + 40 * 25
    assert two[0] > small[0] + 3 * 25
    assert two[1] == small[1]


def test_long_labels_are_inside_the_picture(tmp_path):
    words = ["i", "W" * 27]
    picture = draw(tmp_path / "a.png", Alignment(words, words[::-1], np.eye(2)))
    edge = np.concatenate([picture[:8].ravel(), picture[:, :8].ravel(), picture[:, -8:].ravel()])
    assert (edge == 1).all()


@pytest.mark.parametrize("sentences", [[], [Alignment([], [], [])], [Alignment(["</s>"], [], [])]])
def test_blank_sentences_are_drawn(tmp_path, sentences):
    draw(tmp_path / "a.png", *sentences)


def test_any_text_is_drawn_without_a_warning(tmp_path):
    words = ["γάτα", "собака", "猫", "שלום", "مرحبا", "😀", "हिन्दी", "e\u0301", "$x$", "$", "\x00"]
    words += ["\ud800", "\n", "", "a_b^c", "\\frac", "x" * 10_000]
    draw(tmp_path / "a.png", Alignment(words, words, np.eye(len(words)), title="$a$ 猫 {\x07"))


def test_a_picture_that_nobody_could_open_is_refused(tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(b"old")
    with pytest.raises(InputError, match="Received: 1 sentences .* pixels"):
        write_heat_map(path, [diagonal(400)])
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_the_settings_of_pyplot_stay_as_they_are(tmp_path):
    import matplotlib

    before = dict(matplotlib.rcParams)
    draw(tmp_path / "a.png", diagonal(2))
    assert dict(matplotlib.rcParams) == before
