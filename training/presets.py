"""The presets of `train`: options for corpora of several sizes.

To add a preset, add an entry to `PRESETS`. The command's `--preset` and its help, `preset_options`
and the tests take their names from there.
"""

from typing import NamedTuple

from keras_bahdanau.errors import InputError

from .options import TrainingOptions


class Preset(NamedTuple):
    """A named choice of options.

    Attributes:
        description: size of the model, and the corpus and time that it is meant for.
        options: the fields of `TrainingOptions` that differ from their defaults.
    """

    description: str
    options: dict


PRESETS = {
    "tiny": Preset(
        "at most 1.2 M weights, for about ten thousand short pairs: minutes",
        {
            "vocabulary_size": 2000,
            "embedding_dim": 128,
            "encoder_units": 128,
            "decoder_units": 256,
            "attention_units": 128,
            "order": "before",
            "dropout": 0.1,
            "batch_size": 64,
            "epochs": 7,
        },
    ),
    "multi30k": Preset(
        "4.7 M weights, for about thirty thousand pairs (Multi30k): half an hour or more",
        {
            "vocabulary_size": 5000,
            "decoder_units": 400,
            "dropout": 0.3,
            "epochs": 16,
        },
    ),
    "small": Preset("at most 6.4 M weights, for about a hundred thousand pairs: hours", {}),
    "base": Preset(
        "at most 30 M weights, for several million pairs: days, or a GPU",
        {
            "vocabulary_size": 24000,
            "embedding_dim": 512,
            "encoder_units": 512,
            "decoder_units": 1024,
            "attention_units": 512,
            "dropout": 0.1,
            "tokens_per_batch": 6000,
            "epochs": 4,
            "validations_per_epoch": 8,
            "learning_rate": 1e-3,
            "warmup_steps": 4000,
            "ema_momentum": 0.9995,
            "checkpoint_every": 1000,
        },
    ),
}
DEFAULT_PRESET = "small"


def preset_options(preset: str = DEFAULT_PRESET, **changes) -> TrainingOptions:
    """Returns the options of a preset, with changes.

    Args:
        preset: a name in `PRESETS`: `"tiny"`, `"multi30k"`, `"small"` or `"base"`.
        **changes: fields of `TrainingOptions`; they override the preset.

    Raises:
        InputError: there is no such preset, or a value is out of its range.
        TypeError: `TrainingOptions` has no field of that name.

    Example:

    >>> preset_options("tiny", epochs=3).epochs
    3
    """
    if preset not in PRESETS:
        raise InputError(f"Expected a preset among {tuple(PRESETS)}. Received: {preset}")
    return TrainingOptions(**{**PRESETS[preset].options, **changes})
