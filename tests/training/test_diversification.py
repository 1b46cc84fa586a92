import random

import numpy as np
import pytest
from toy_corpus import WORDS
from training_runs import PLAIN_OPTIONS, final_state

from keras_bahdanau.errors import InputError
from keras_bahdanau.training import diversification
from keras_bahdanau.training.data.splits import Splits
from keras_bahdanau.training.diversification import Addition, DiversifiedPairs
from keras_bahdanau.training.presets import preset_options
from keras_bahdanau.training.training_run import train
from keras_bahdanau.translation.translator import Translator

PAIRS = random.Random(0).sample([(word, word[::-1]) for word in WORDS] * 12, 120)
SPLITS = Splits(PAIRS[:100], PAIRS[100:110], PAIRS[110:])
# Enough training for translations that are not blank, and are not all right.
CHANGES = {"epochs": 2, "batch_size": 4, "learning_rate": 0.02, "ema_momentum": 0.0, "seed": 0}


def run(directory, splits=SPLITS, **changes):
    options = preset_options(**{**PLAIN_OPTIONS, **CHANGES, "diversify": 1, **changes})
    return train(splits, options, directory, show_progress=False)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A run that was interrupted when a translation was there, and another was not."""
    directory = tmp_path_factory.mktemp("run") / "model"
    translate = diversification._translate

    def interrupted(translator, pairs, path, show_progress):
        if path.name.startswith("backward"):
            raise KeyboardInterrupt
        translate(translator, pairs, path, show_progress)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(diversification, "_translate", interrupted)
        with pytest.raises(KeyboardInterrupt):
            run(directory)
    _, metrics = run(directory)
    return directory, metrics


def translations(directory, name):
    text = (directory / "diversification" / f"{name}-1.txt").read_text(encoding="utf-8")
    return text.splitlines()


def test_pairs_are_the_training_pairs_and_then_those_of_each_translation(tmp_path):
    forward, backward = tmp_path / "forward.txt", tmp_path / "backward.txt"
    forward.write_text("uno\notro\n", encoding="utf-8")
    backward.write_text("a\nsecond\n", encoding="utf-8")
    pairs = [("one", "uno"), ("two", "dos")]
    additions = [Addition(pairs, forward, "source"), Addition(pairs, backward, "target")]
    # The first translation is what stands there already.
    expected = [*pairs, ("two", "otro"), ("a", "uno"), ("second", "dos")]
    text = DiversifiedPairs(pairs, additions)
    assert list(text) == list(text) == expected


def test_a_file_with_other_lines_than_the_text_is_an_error(tmp_path):
    path = tmp_path / "forward.txt"
    path.write_text("uno\n", encoding="utf-8")
    with pytest.raises(ValueError, match="shorter"):
        list(Addition([("one", "uno"), ("two", "dos")], path, "source"))


@pytest.mark.slow
def test_each_side_is_translated_by_a_translator_of_its_direction(finished):
    directory, _ = finished
    for name, texts in zip(("forward", "backward"), zip(*SPLITS.train, strict=True), strict=True):
        translator = Translator.load(directory / "diversification" / f"{name}-1")
        assert translations(directory, name) == translator.translate(texts)
        assert any(translations(directory, name))


@pytest.mark.slow
def test_it_is_a_run_on_the_text_and_its_translations(finished, tmp_path):
    directory, metrics = finished
    sources, targets = zip(*SPLITS.train, strict=True)
    added = [
        *zip(sources, translations(directory, "forward"), strict=True),
        *zip(translations(directory, "backward"), targets, strict=True),
    ]
    new = [pair for pair in added if pair not in SPLITS.train]
    assert any(all(map(str.strip, pair)) for pair in new)
    larger = SPLITS._replace(train=[*SPLITS.train, *new])
    _, expected = run(tmp_path / "model", larger, diversify=0, long_pairs="drop")
    assert metrics["training_pairs"] == expected["training_pairs"] > len(SPLITS.train)
    received, state = final_state(directory), final_state(tmp_path / "model")
    assert received.keys() == state.keys()
    for name, array in state.items():
        np.testing.assert_array_equal(received[name], array)


@pytest.mark.slow
def test_translators_with_other_options_are_not_taken(finished):
    with pytest.raises(InputError, match="learning_rate 0.02 instead of 0.01"):
        run(finished[0], learning_rate=0.01)


def test_a_foreign_directory_is_left_alone(tmp_path):
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(InputError, match="not empty: it has thesis.txt$"):
        run(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_negative_number_of_translators_is_refused():
    with pytest.raises(InputError, match="diversify"):
        preset_options(diversify=-1)
