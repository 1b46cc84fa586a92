"""What can be chosen for a training run, with the presets. Imports nothing heavy."""

import dataclasses
import math
from dataclasses import dataclass

from keras_bahdanau.errors import InputError
from keras_bahdanau.options import option

TOKENIZERS = ("13a", "none", "intl", "char", "zh")


@dataclass(frozen=True)
class TrainingOptions:
    """Every choice of a run. Equal options on equal text give equal weights (on one machine)."""

    vocabulary_size: int = option(8000, "pieces of the joint vocabulary, at most")
    embedding_dim: int = option(256, "width of the embeddings")
    encoder_units: int = option(256, "width of the encoder's state in each direction")
    decoder_units: int = option(512, "width of the decoder's state")
    attention_units: int = option(256, "width of the attention's projections")
    num_layers: int = option(1, "recurrent layers of encoder and decoder")
    cell: str = option("gru", "recurrent cell", choices=("gru", "lstm"))
    order: str = option(
        "between",
        "attend with the state before the step (the paper), with the one after it, or between two "
        "transitions of the state (the conditional GRU)",
        choices=("before", "after", "between"),
    )
    attention: str = option(
        "additive",
        "what the decoder sees of the source: by attention one annotation of each token, or the "
        "encoder's last state alone, one vector of fixed length",
        choices=("additive", "none"),
    )
    tie_embeddings: str = option(
        "all",
        "use one matrix as target embedding and output matrix, or as source embedding too",
        choices=("none", "target", "all"),
    )
    readout_units: int = option(
        0, "width of the deep output; 0 for that of the embeddings, which tying requires"
    )
    dropout: float = option(0.2, "rate on embeddings, memory and deep output")
    recurrent_dropout: float = option(0.0, "rate on recurrent connections")
    attention_dropout: float = option(0.0, "rate at which whole memory positions are dropped")
    label_smoothing: float = option(0.1, "probability mass spread over the vocabulary")
    tokenize: str = option(
        "13a",
        "sacreBLEU's tokenizer of validation and test scores; none for text that is tokenized",
        choices=TOKENIZERS,
    )
    max_length: int = option(128, "limit of a sentence in pieces, the end token included")
    long_pairs: str = option(
        "error", "what to do with training pairs beyond it", choices=("error", "drop")
    )
    max_length_ratio: float = option(
        3.0, "most times that a side may be as long as the other, in pieces, end tokens included"
    )
    clean: bool = option(False, "leave out doubtful training pairs: see corpus report below")
    vocabulary_sample: int = option(
        500_000,
        "sentences that the vocabulary is learned from, at most; each takes some 2 kB of memory",
    )
    batch_size: int = option(128, "pairs in a batch")
    tokens_per_batch: int = option(
        0, "positions in a batch, padding included, in place of a number of pairs; 0 for batch_size"
    )
    length_multiple: int = option(
        0,
        "batches are padded to lengths that are multiples of this; 0 for 8 on JAX, which compiles "
        "each shape, 4 on TensorFlow, which compiles parts of it, and 1 on PyTorch",
    )
    epochs: int = option(12, "epochs at most")
    validations_per_epoch: int = option(
        1, "times in an epoch that the validation set is translated; weights are chosen among these"
    )
    patience: int = option(5, "epochs without a better validation BLEU before it stops")
    learning_rate: float = option(2e-3, "peak learning rate of Adam")
    warmup_steps: int = option(200, "steps over which the learning rate rises")
    final_learning_rate: float = option(
        0.02, "share of the peak that the cosine schedule ends at, after the last epoch"
    )
    r_drop: float = option(
        0.0,
        "factor of the divergence between two passes of each sentence under different dropout "
        "masks (R-Drop's alpha); 0 for one pass, which takes half the time",
    )
    diversify: int = option(
        0,
        "translators of each direction that are trained first, with the same options; their "
        "translations of the training text are added to it (data diversification); 0 for none, 1 "
        "takes five to six times the time",
    )
    ema_momentum: float = option(
        0.998,
        "momentum of the moving average of the weights that is evaluated and kept; 0 for none",
    )
    precision: str = option(
        "float32",
        "of the factors of matrix products in training; bfloat16 takes a third less time on "
        "processors that have it (avx512_bf16 or amx_bf16 in /proc/cpuinfo) and more on others",
        choices=("float32", "bfloat16"),
    )
    clip_norm: float = option(1.0, "limit of the global gradient norm")
    seed: int = option(1, "seed of weights, dropout and batches")
    checkpoint_every: int = option(200, "steps between checkpoints")

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
        if self.tie_embeddings != "none" and self.readout_units not in (0, self.embedding_dim):
            raise InputError(
                f"Expected readout_units of 0 or {self.embedding_dim} (embedding_dim) with "
                f"tie_embeddings {self.tie_embeddings}. Received: {self.readout_units}"
            )
        if self.max_length_ratio < 1:
            raise InputError(
                f"Expected max_length_ratio of at least 1. Received: {self.max_length_ratio}"
            )
        if self.seed >= 1 << 32:
            raise InputError(f"Expected a seed below 2 ** 32. Received: {self.seed}")

    def model_arguments(self) -> dict:
        """The arguments of `TranslationModel`, without the vocabulary size."""
        arguments = {
            name: getattr(self, name)
            for name in (
                "embedding_dim",
                "encoder_units",
                "decoder_units",
                "attention_units",
                "num_layers",
                "cell",
                "order",
                "attention",
                "tie_embeddings",
                "dropout",
                "recurrent_dropout",
                "attention_dropout",
            )
        }
        return {**arguments, "readout_units": self.readout_units or None}


_MAY_BE_ZERO = (
    *("tokens_per_batch", "length_multiple", "readout_units", "warmup_steps", "diversify", "seed"),
)
_RATES = ("ema_momentum", "dropout", "recurrent_dropout", "attention_dropout", "label_smoothing")

# What each preset sets other than the defaults.
PRESETS = {
    "tiny": {
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
    "multi30k": {
        "vocabulary_size": 5000,
        "decoder_units": 400,
        "dropout": 0.3,
        "epochs": 16,
    },
    "small": {},
    "base": {
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
}
PRESET_HELP = {
    "tiny": "1.2 M weights at most, for some ten thousand short pairs: minutes",
    "multi30k": "4.7 M weights, for some thirty thousand pairs (Multi30k): half an hour and more",
    "small": "6.4 M weights at most, for some hundred thousand pairs: hours",
    "base": "30 M weights at most, for several million pairs: days, or a GPU",
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
