"""Hyper-parameters of a training run: each with its default, range and line of help.

The presets are in `presets.py`. Imports neither Keras nor TensorFlow.
"""

import dataclasses
import math
from dataclasses import dataclass

from keras_bahdanau.errors import InputError
from keras_bahdanau.options import option

TOKENIZERS = ("13a", "none", "intl", "char", "zh")


@dataclass(frozen=True)
class TrainingOptions:
    """The hyper-parameters of a training run, immutable.

    Each field is also an option of `keras-bahdanau train` (`embedding_dim`: `--embedding-dim`),
    whose `--help` describes it. Equal options on equal text give equal weights on the same machine.

    Raises:
        InputError: a value is out of its range, or two values do not go together.
    """

    vocabulary_size: int = option(8000, "maximum size of the joint subword vocabulary")
    embedding_dim: int = option(256, "width of the embeddings")
    encoder_units: int = option(256, "width of the encoder state in each direction")
    decoder_units: int = option(512, "width of the decoder state")
    attention_units: int = option(256, "width of the attention's projections")
    num_layers: int = option(1, "recurrent layers of encoder and decoder")
    cell: str = option("gru", "recurrent cell", choices=("gru", "lstm"))
    order: str = option(
        "between",
        "attend with the decoder state before the step (the paper), after it, or between two "
        "transitions of the state (conditional GRU)",
        choices=("before", "after", "between"),
    )
    attention: str = option(
        "additive",
        "additive: attention over the source annotations; none: the final encoder state only, a "
        "vector of fixed length",
        choices=("additive", "none"),
    )
    attention_normalization: str = option(
        "none", "layer normalization inside the attention's tanh", choices=("none", "layer")
    )
    tie_embeddings: str = option(
        "all",
        "weight tying: share one matrix between target embedding and output layer (target), and "
        "source embedding too (all)",
        choices=("none", "target", "all"),
    )
    readout_units: int = option(
        0, "width of the deep output; 0 for embedding_dim, which weight tying requires"
    )
    dropout: float = option(0.2, "dropout rate on embeddings, memory and deep output")
    recurrent_dropout: float = option(0.0, "dropout rate on recurrent connections")
    attention_dropout: float = option(0.0, "dropout rate on whole memory positions")
    label_smoothing: float = option(0.1, "probability mass spread evenly over the vocabulary")
    tokenize: str = option(
        "13a",
        "sacreBLEU tokenizer for validation and test scores; none for text that is tokenized",
        choices=TOKENIZERS,
    )
    max_length: int = option(128, "maximum length of a sentence in tokens, end token included")
    long_pairs: str = option(
        "error", "what to do with longer training pairs", choices=("error", "drop")
    )
    max_length_ratio: float = option(
        3.0, "maximum ratio of the two lengths of a pair, in tokens, end tokens included"
    )
    clean: bool = option(False, "filter the training pairs: see corpus report below")
    vocabulary_sample: int = option(
        500_000,
        "maximum number of sentences that the vocabulary is learned from; each takes about 2 kB of "
        "memory",
    )
    batch_size: int = option(128, "pairs in a batch")
    tokens_per_batch: int = option(
        0, "positions in a batch, padding included, instead of a number of pairs; 0 for batch_size"
    )
    length_multiple: int = option(
        0,
        "pad batches to a multiple of this length; 0 for 8 on JAX, which compiles each shape, 4 on "
        "TensorFlow, which compiles parts of it, and 1 on PyTorch",
    )
    epochs: int = option(12, "maximum number of epochs")
    validations_per_epoch: int = option(
        1, "validations in each epoch; the weights with the best validation BLEU are kept"
    )
    patience: int = option(5, "early stopping: epochs without a better validation BLEU")
    learning_rate: float = option(2e-3, "peak learning rate of Adam")
    warmup_steps: int = option(200, "steps of linear learning rate warmup")
    final_learning_rate: float = option(
        0.02, "fraction of the peak at which the cosine decay ends, after the last epoch"
    )
    diversify: int = option(
        0,
        "data diversification: first train this many translators in each direction, with the same "
        "options, and add their translations of the training text to it; 1 takes five to six times "
        "the time",
    )
    ema_momentum: float = option(
        0.998,
        "momentum of the exponential moving average of the weights, which is evaluated and saved; "
        "0 for no average",
    )
    precision: str = option(
        "float32",
        "of matrix products in training (mixed precision); bfloat16 takes a third less time on "
        "processors that support it (avx512_bf16 or amx_bf16 in /proc/cpuinfo) and more on others",
        choices=("float32", "bfloat16"),
    )
    clip_norm: float = option(1.0, "global gradient norm to clip to; 0 for no clipping")
    seed: int = option(1, "random seed of weights, dropout and batches")
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
        """Returns the arguments of `TranslationModel`, without the vocabulary size."""
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
                "attention_normalization",
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
