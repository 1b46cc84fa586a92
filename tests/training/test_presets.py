import pytest

from keras_bahdanau.errors import InputError
from keras_bahdanau.training.options import TrainingOptions
from keras_bahdanau.training.presets import DEFAULT_PRESET, PRESETS, preset_options


def test_every_preset_is_valid_and_described():
    assert DEFAULT_PRESET in PRESETS
    for name, preset in PRESETS.items():
        assert preset.description
        assert isinstance(preset_options(name), TrainingOptions)


def test_changes_override_the_preset():
    options = preset_options("tiny", dropout=0.25)
    assert options.dropout == 0.25
    assert options.decoder_units == PRESETS["tiny"].options["decoder_units"]


def test_unknown_preset_is_refused():
    with pytest.raises(InputError, match="Received: huge"):
        preset_options("huge")


def test_changes_are_checked():
    with pytest.raises(InputError, match="cell among .* Received: rnn"):
        preset_options(cell="rnn")
