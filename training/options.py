"""Hyper-parameters of a training run: each with its default, range and line of help.

The presets are in `presets.py`. Imports neither Keras nor TensorFlow.
"""

from dataclasses import dataclass

from keras_bahdanau.errors import InputError
from keras_bahdanau.options import check_options, option

TOKENIZERS = ("13a", "none", "intl", "char", "zh")


@dataclass(frozen=True)
class TrainingOptions:
    """The hyper-parameters of a training run, immutable.

    Each field is also an option of `keras-bahdanau train` (`embedding_dim`: `--embedding-dim`),
    whose `--help` describes it. Equal options on equal text give equal weights on the same machine.

    Raises:
        InputError: a value is out of its range, or two values do not go together.
    """

    vocabulary_size: int = option(8000, "maximum size of the joint subword vocabulary", least=1)
    embedding_dim: int = option(256, "width of the embeddings", least=1)
    encoder_units: int = option(256, "width of the encoder state in each direction", least=1)
    decoder_units: int = option(512, "width of the decoder state", least=1)
    attention_units: int = option(256, "width of the attention's projections", least=1)
    num_layers: int = option(1, "recurrent layers of encoder and decoder", least=1)
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
    tie_embeddings: str = option(
        "all",
        "weight tying: share one matrix between target embedding and output layer (target), and "
        "source embedding too (all)",
        choices=("none", "target", "all"),
    )
    readout_units: int = option(
        0, "width of the deep output; 0 for embedding_dim, which weight tying requires", least=0
    )
    dropout: float = option(
        0.2, "dropout rate on embeddings, memory and deep output", least=0, below=1
    )
    recurrent_dropout: float = option(
        0.0, "dropout rate on recurrent connections", least=0, below=1
    )
    attention_dropout: float = option(
        0.0, "rate at which whole memory positions are dropped", least=0, below=1
    )
    label_smoothing: float = option(
        0.1, "probability mass spread evenly over the vocabulary", least=0, below=1
    )
    tokenize: str = option(
        "13a",
        "sacreBLEU tokenizer for validation and test scores; none for text that is tokenized",
        choices=TOKENIZERS,
    )
    max_length: int = option(
        128, "maximum length of a sentence in tokens, end token included", least=1
    )
    long_pairs: str = option(
        "error", "what to do with longer training pairs", choices=("error", "drop")
    )
    max_length_ratio: float = option(
        3.0, "maximum ratio of the two lengths of a pair, in tokens, end tokens included", least=1
    )
    clean: bool = option(False, "filter the training pairs: see corpus report below")
    vocabulary_sample: int = option(
        500_000,
        "maximum number of sentences that the vocabulary is learned from; each takes about 2 kB of "
        "memory",
        least=1,
    )
    batch_size: int = option(128, "pairs in a batch", least=1)
    tokens_per_batch: int = option(
        0,
        "positions in a batch, padding included, instead of a number of pairs; 0 for batch_size",
        least=0,
    )
    length_multiple: int = option(
        0,
        "pad batches to a multiple of this length; 0 for 8 on JAX, which compiles each shape, 4 on "
        "TensorFlow, which compiles parts of it, and 1 on PyTorch",
        least=0,
    )
    epochs: int = option(12, "maximum number of epochs", least=1)
    validations_per_epoch: int = option(
        1, "validations in each epoch; the weights with the best validation BLEU are kept", least=1
    )
    patience: int = option(5, "early stopping: epochs without a better validation BLEU", least=1)
    learning_rate: float = option(2e-3, "peak learning rate of Adam", least=0)
    warmup_steps: int = option(200, "steps of linear learning rate warmup", least=0)
    final_learning_rate: float = option(
        0.02, "fraction of the peak at which the cosine decay ends, after the last epoch", least=0
    )
    diversify: int = option(
        0,
        "data diversification: first train this many translators in each direction, with the same "
        "options, and add their translations of the training text to it; 1 takes five to six times "
        "the time",
        least=0,
    )
    ema_momentum: float = option(
        0.998,
        "momentum of the exponential moving average of the weights, which is evaluated and saved; "
        "0 for no average",
        least=0,
        below=1,
    )
    precision: str = option(
        "float32",
        "of matrix products in training (mixed precision); bfloat16 takes a quarter to two fifths "
        "less time on processors that support it (avx512_bf16 or amx_bf16 in /proc/cpuinfo) and "
        "more on others",
        choices=("float32", "bfloat16"),
    )
    clip_norm: float = option(1.0, "global gradient norm to clip to; 0 for no clipping", least=0)
    seed: int = option(1, "random seed of weights, dropout and batches", least=0, below=1 << 32)
    checkpoint_every: int = option(200, "steps between checkpoints", least=1)

    def __post_init__(self):
        check_options(self)
        if self.tie_embeddings != "none" and self.readout_units not in (0, self.embedding_dim):
            raise InputError(
                f"Expected readout_units of 0 or {self.embedding_dim} (embedding_dim) with "
                f"tie_embeddings {self.tie_embeddings}. Received: {self.readout_units}"
            )

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
                "tie_embeddings",
                "dropout",
                "recurrent_dropout",
                "attention_dropout",
            )
        }
        return {**arguments, "readout_units": self.readout_units or None}
