import json
import subprocess
import sys

import pytest
from toy_corpus import word_by_word_pairs, write_tsv
from training_runs import PLAIN_OPTIONS

import keras_bahdanau.training
from keras_bahdanau import InputError, Translator
from keras_bahdanau.training import (
    ParallelFiles,
    Splits,
    TrainingOptions,
    TsvFile,
    named_splits,
    preset_options,
    train,
)


def test_the_listed_names_are_those_that_are_found():
    assert sorted(keras_bahdanau.training.__all__) == [
        "ParallelFiles",
        "Splits",
        "TrainingOptions",
        "TsvFile",
        "named_splits",
        "preset_options",
        "train",
    ]
    assert sorted(keras_bahdanau.training.__all__) == dir(keras_bahdanau.training)
    with pytest.raises(AttributeError, match="has no attribute 'epoch'"):
        _ = keras_bahdanau.training.epoch


def test_a_translator_is_trained_through_the_public_names_alone(tmp_path):
    pairs = word_by_word_pairs(60)
    (tmp_path / "train.source").write_text("".join(f"{source}\n" for source, _ in pairs[:40]))
    (tmp_path / "train.target").write_text("".join(f"{target}\n" for _, target in pairs[:40]))
    splits = Splits(
        train=ParallelFiles(tmp_path / "train.source", tmp_path / "train.target"),
        validation=list(TsvFile(write_tsv(tmp_path / "validation.tsv", pairs[40:50]))),
        test=pairs[50:],
    )
    options = preset_options("tiny", **{**PLAIN_OPTIONS, "epochs": 1})
    assert isinstance(options, TrainingOptions)
    translator, metrics = train(splits, options, tmp_path / "model", show_progress=False)
    assert isinstance(translator, Translator)
    assert metrics == json.loads((tmp_path / "model" / "metrics.json").read_text())
    sources = [source for source, _ in splits.test]
    assert Translator.load(tmp_path / "model").translate(sources) == translator.translate(sources)


def test_without_test_pairs_there_are_none():
    assert list(Splits(train=[("a", "b")], validation=[("a", "b")]).test) == []


def test_a_corpus_by_name():
    assert set(map(len, named_splits("built-in").validation)) == {2}
    with pytest.raises(InputError, match="Received: europarl"):
        named_splits("europarl")


@pytest.mark.parametrize("first", ["import keras_bahdanau.training.training_run", "pass"])
def test_train_is_the_function_whatever_was_imported_before(first):
    code = f"{first}; from keras_bahdanau.training import train; print(train.__name__)"
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert process.stdout == "train\n", process.stderr
