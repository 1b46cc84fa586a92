"""What can be chosen for a training run, with the presets. Imports nothing heavy."""

import dataclasses
import math
from dataclasses import dataclass

from keras_bahdanau.errors import InputError


def _option(default, description, choices=None):
    metadata = {"help": description, "choices": choices}
    return dataclasses.field(default=default, metadata=metadata)


@dataclass(frozen=True)
class TrainingOptions:
    """Every choice of a run. Equal options on equal text give equal weights (on one machine)."""

    vocabulary_size: int = _option(6000, "pieces of the joint vocabulary, at most")
    embedding_dim: int = _option(256, "width of the embeddings")
    encoder_units: int = _option(256, "width of the encoder's state in each direction")
    decoder_units: int = _option(512, "width of the decoder's state")
    attention_units: int = _option(256, "width of the attention's projections")
    num_layers: int = _option(1, "recurrent layers of encoder and decoder")
    cell: str = _option("gru", "recurrent cell", choices=("gru", "lstm"))
    order: str = _option(
        "before",
        "attend with the state before the step (the paper) or with the one after it",
        choices=("before", "after"),
    )
    dropout: float = _option(0.3, "rate on embeddings, memory and deep output")
    recurrent_dropout: float = _option(0.0, "rate on recurrent connections")
    attention_dropout: float = _option(0.0, "rate at which memory positions are left out")
    label_smoothing: float = _option(0.1, "probability mass spread over the vocabulary")
    max_length: int = _option(128, "limit of a sentence in pieces, the end token included")
    long_pairs: str = _option(
        "error", "what to do with training pairs beyond it", choices=("error", "drop")
    )
    batch_size: int = _option(128, "pairs in a batch")
    epochs: int = _option(14, "epochs at most")
    patience: int = _option(5, "epochs without a better validation BLEU before it stops")
    learning_rate: float = _option(2e-3, "peak learning rate of Adam")
    warmup_steps: int = _option(200, "steps over which the learning rate rises")
    final_learning_rate: float = _option(
        0.02, "share of the peak that the cosine schedule ends at, after the last epoch"
    )
    clip_norm: float = _option(1.0, "limit of the global gradient norm")
    seed: int = _option(1, "seed of weights, dropout and batches")
    checkpoint_every: int = _option(200, "steps between checkpoints")

    def __post_init__(self):
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            choices = field.metadata["choices"]
            if choices and value not in choices:
                raise InputError(f"Expected {field.name} among {choices}. Received: {value}")
            if field.type is int and value < (0 if field.name in _MAY_BE_ZERO else 1):
                raise InputError(f"Expected a larger {field.name}. Received: {value}")
            if field.name in _RATES and not 0 <= value < 1:
                raise InputError(f"Expected {field.name} in [0, 1). Received: {value}")
            # Written so that NaN is refused too.
            if field.type is float and not 0 <= value < math.inf:
                raise InputError(f"Expected {field.name} of at least 0. Received: {value}")
        if self.seed >= 1 << 32:
            raise InputError(f"Expected a seed below 2 ** 32. Received: {self.seed}")

    def model_arguments(self) -> dict:
        """The arguments of `TranslationModel`, without the vocabulary size."""
        return {
            name: getattr(self, name)
            for name in (
                "embedding_dim",
                "encoder_units",
                "decoder_units",
                "attention_units",
                "num_layers",
                "cell",
                "order",
                "dropout",
                "recurrent_dropout",
                "attention_dropout",
            )
        }


_MAY_BE_ZERO = ("warmup_steps", "seed")
_RATES = ("dropout", "recurrent_dropout", "attention_dropout", "label_smoothing")

# What each preset sets other than the defaults.
PRESETS = {
    "tiny": {
        "vocabulary_size": 2000,
        "embedding_dim": 128,
        "encoder_units": 128,
        "decoder_units": 256,
        "attention_units": 128,
        "dropout": 0.1,
        "batch_size": 64,
        "epochs": 7,
    },
    "small": {},
}
PRESET_HELP = {
    "tiny": "1.4 M weights at most, for some ten thousand short pairs: minutes",
    "small": "6.7 M weights at most, for some thirty thousand pairs and more: an hour",
}
DEFAULT_PRESET = "small"


def preset_options(preset: str = DEFAULT_PRESET, **changes) -> TrainingOptions:
    """The options of a preset, with changes.

    Raises:
        InputError: there is no such preset, or a value is out of its range.
    """
    if preset not in PRESETS:
        raise InputError(f"Expected a preset among {tuple(PRESETS)}. Received: {preset}")
    return TrainingOptions(**{**PRESETS[preset], **changes})
