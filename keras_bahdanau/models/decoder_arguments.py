"""What a decoder can be made of."""

from keras_bahdanau.layers.arguments import check_choice, check_positive_integer, check_rate
from keras_bahdanau.recurrent.attention_cell import ORDERS

CHOICES = {
    "order": ORDERS,
    "attention_normalization": ("none", "layer"),
    "tie_embeddings": ("none", "target"),
}


def check_decoder_arguments(sizes, choices, rates):
    """Raises ValueError unless the arguments of a `Decoder` are in their ranges and fit.

    Args:
        sizes, choices, rates: dicts of arguments by name.
    """
    for name, size in sizes.items():
        check_positive_integer(name, size)
    for name, choice in choices.items():
        check_choice(name, choice, CHOICES[name])
    for name, rate in rates.items():
        check_rate(name, rate)
    readout, embedding = sizes["readout_units"], sizes["embedding_dim"]
    if choices["tie_embeddings"] == "target" and readout != embedding:
        raise ValueError(
            "With tie_embeddings='target', `readout_units` must equal `embedding_dim`. "
            f"Received: readout_units={readout}, embedding_dim={embedding}"
        )
