import pytest

from keras_bahdanau.errors import InputError
from keras_bahdanau.export.version_directories import newest_version, next_version


def test_versions_count_from_one_and_gaps_stay(tmp_path):
    assert next_version(tmp_path / "absent") == next_version(tmp_path) == "1"
    for name in ("2", "10", ".11.abcdefgh"):
        (tmp_path / name).mkdir()
    assert next_version(tmp_path) == "11"


@pytest.mark.parametrize("name", ["file", "v1", "1.5", "\u0663", "variables"])
def test_what_is_no_version_is_named(tmp_path, name):
    (tmp_path / "1").mkdir()
    (tmp_path / name).mkdir()
    with pytest.raises(InputError, match=f"Received: {tmp_path}, which has {name}$"):
        next_version(tmp_path)


def test_a_file_is_no_directory_of_versions(tmp_path):
    (tmp_path / "1").touch()
    with pytest.raises(InputError, match="1, a file$"):
        next_version(tmp_path / "1")
    with pytest.raises(InputError, match="which has 1$"):
        next_version(tmp_path)


def test_the_newest_is_the_highest_number_that_holds_a_model(tmp_path):
    assert newest_version(tmp_path) == tmp_path
    for name in ("9", "10", "x"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "saved_model.pb").touch()
    (tmp_path / "11").mkdir()
    assert newest_version(tmp_path) == newest_version(tmp_path / "10") == tmp_path / "10"
