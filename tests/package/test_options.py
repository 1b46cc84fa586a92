import dataclasses

import pytest

from keras_bahdanau.errors import InputError
from keras_bahdanau.training.options import (
    DEFAULT_PRESET,
    PRESET_HELP,
    PRESETS,
    TrainingOptions,
    preset_options,
)


def test_every_preset_is_valid_and_described():
    assert PRESETS.keys() == PRESET_HELP.keys()
    assert DEFAULT_PRESET in PRESETS
    for name in PRESETS:
        assert isinstance(preset_options(name), TrainingOptions)


def test_changes_win_over_the_preset():
    options = preset_options("tiny", dropout=0.25)
    assert options.dropout == 0.25
    assert options.decoder_units == PRESETS["tiny"]["decoder_units"]


def test_every_option_has_a_description():
    assert all(field.metadata["help"] for field in dataclasses.fields(TrainingOptions))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"batch_size": 0}, "batch_size. Received: 0"),
        ({"dropout": 1.0}, r"dropout in \[0, 1\). Received: 1.0"),
        ({"label_smoothing": -0.1}, "label_smoothing in"),
        ({"learning_rate": -1.0}, "learning_rate of at least 0"),
        ({"learning_rate": float("nan")}, "learning_rate of at least 0"),
        ({"max_length_ratio": 0.9}, "max_length_ratio of at least 1. Received: 0.9"),
        ({"tokens_per_batch": -1}, "larger tokens_per_batch. Received: -1"),
        ({"cell": "rnn"}, "cell among .* Received: rnn"),
        ({"readout_units": 64}, "readout_units of 0 or 256 .*tie_embeddings all. Received: 64"),
    ],
)
def test_values_out_of_range_are_refused(change, message):
    with pytest.raises(InputError, match=message):
        preset_options(**change)


def test_unknown_preset_is_refused():
    with pytest.raises(InputError, match="Received: huge"):
        preset_options("huge")
