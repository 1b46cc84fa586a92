import pytest

from keras_bahdanau.errors import InputError
from keras_bahdanau.training.data.splits import file_splits


@pytest.fixture
def files(tmp_path):
    texts = {"a.en": "one\ntwo\n", "a.de": "eins\nzwei\n", "b.tsv": "three\tdrei\n"}
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
    return {name: str(tmp_path / name) for name in texts}


def test_parallel_files_and_tsv_files_mix(files):
    splits = file_splits(
        {
            "source_train": files["a.en"],
            "target_train": files["a.de"],
            "validation": files["b.tsv"],
        }
    )
    assert list(splits.train) == [("one", "eins"), ("two", "zwei")]
    assert splits.validation == [("three", "drei")]
    assert splits.test == []


def test_training_files_are_read_when_they_are_iterated_over_and_each_time_anew(files, tmp_path):
    splits = file_splits({"train": files["b.tsv"], "validation": files["b.tsv"]})
    (tmp_path / "b.tsv").write_text("four\tvier\n")
    assert list(splits.train) == list(splits.train) == [("four", "vier")]
    assert splits.validation == [("three", "drei")]


def test_a_missing_training_file_is_found_at_once(files):
    with pytest.raises(InputError, match="There is no such file: absent.tsv"):
        file_splits({"train": "absent.tsv", "validation": files["b.tsv"]})


def test_a_missing_side_is_named(files):
    with pytest.raises(InputError, match="no --target-train$"):
        file_splits({"source_train": files["a.en"], "validation": files["b.tsv"]})


def test_missing_validation_is_named(files):
    with pytest.raises(InputError, match="--source-validation and --target-validation"):
        file_splits({"train": files["b.tsv"]})


def test_both_ways_at_once_are_refused(files):
    with pytest.raises(InputError, match="Received: both"):
        file_splits({"train": files["b.tsv"], "source_train": files["a.en"]})


def test_half_a_test_set_is_refused(files):
    with pytest.raises(InputError, match="no --target-test$"):
        file_splits(
            {"train": files["b.tsv"], "validation": files["b.tsv"], "source_test": files["a.en"]}
        )
