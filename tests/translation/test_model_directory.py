import json
import shutil

import pytest

from keras_bahdanau.errors import InputError
from keras_bahdanau.translation.model_directory import read_config, write_config
from keras_bahdanau.version import __version__

LIMITS = {"max_length": 24, "max_target_length": 30}


@pytest.fixture
def directory(tmp_path):
    """A directory that looks whole from outside."""
    for name in ("model.keras", "tokenizer.model"):
        (tmp_path / name).write_bytes(b"")
    write_config(tmp_path, LIMITS)
    return tmp_path


def change_config(directory, **changes):
    path = directory / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def test_the_config_comes_back_with_the_version_of_the_package(directory):
    config = read_config(directory)
    assert config == {"format_version": 1, "package_version": __version__, **LIMITS}


def test_what_a_config_holds_besides_is_kept(directory):
    write_config(directory, {**LIMITS, "training": {"epochs": 3}, "note": "ñ"})
    assert read_config(directory)["training"] == {"epochs": 3}
    assert read_config(directory)["note"] == "ñ"


def test_a_config_that_was_read_can_be_written(directory):
    write_config(directory, read_config(directory))
    assert read_config(directory)["max_length"] == 24


def test_a_directory_that_does_not_exist(tmp_path):
    with pytest.raises(InputError, match="Expected a model directory. Received: .*nosuch"):
        read_config(tmp_path / "nosuch")


def test_a_file_is_no_directory(tmp_path):
    (tmp_path / "a.txt").write_text("")
    with pytest.raises(InputError, match="Expected a model directory. Received: .*a.txt"):
        read_config(tmp_path / "a.txt")


def test_a_directory_of_something_else(tmp_path):
    with pytest.raises(
        InputError, match="no model directory at .*: it has no config.json, model.keras"
    ):
        read_config(tmp_path)


@pytest.mark.parametrize("name", ["model.keras", "tokenizer.model", "config.json"])
def test_a_half_written_directory_says_what_it_lacks(directory, name):
    (directory / name).unlink()
    with pytest.raises(InputError, match=f"unfinished model directory at .*: it has no {name}$"):
        read_config(directory)


def test_a_training_run_that_is_not_finished(tmp_path):
    (tmp_path / "checkpoints").mkdir()
    with pytest.raises(InputError, match="unfinished model directory"):
        read_config(tmp_path)


def test_a_newer_version_is_named(directory):
    change_config(directory, format_version=2, package_version="9.8.7")
    with pytest.raises(InputError, match=r"of format 2 \(keras-bahdanau 9.8.7\)"):
        read_config(directory)


@pytest.mark.parametrize("text", ["", "{", "[1, 2]", "3", "null", "\x00", '"config"'])
def test_a_config_that_is_no_json_object(directory, text):
    (directory / "config.json").write_text(text)
    with pytest.raises(InputError, match="Expected (JSON|a JSON object). Received: .*config.json"):
        read_config(directory)


def test_a_config_that_is_no_text(directory):
    (directory / "config.json").write_bytes(b"\xff\xfe{}")
    with pytest.raises(InputError, match="config.json, which is damaged"):
        read_config(directory)


@pytest.mark.parametrize("name", ["format_version", "max_length", "max_target_length"])
@pytest.mark.parametrize("value", ["24", 0, -1, 2.5, None, True, [24]])
def test_numbers_that_are_none(directory, name, value):
    change_config(directory, **{name: value})
    with pytest.raises(InputError, match=f"Expected {name} to be a positive integer"):
        read_config(directory)


def test_a_saved_translator_is_a_model_directory(untrained_directory, tmp_path):
    copy = shutil.copytree(untrained_directory, tmp_path / "copy")
    assert read_config(copy)["max_length"] == 24
