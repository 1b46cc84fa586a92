import dataclasses

import pytest

from keras_bahdanau.errors import InputError
from keras_bahdanau.training.options import TrainingOptions


def test_every_option_has_a_description():
    assert all(field.metadata["help"] for field in dataclasses.fields(TrainingOptions))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"batch_size": 0}, "batch_size of at least 1. Received: 0"),
        ({"dropout": 1.0}, r"dropout in \[0, 1\). Received: 1.0"),
        ({"label_smoothing": -0.1}, "label_smoothing in"),
        ({"learning_rate": -1.0}, "learning_rate of at least 0. Received: "),
        ({"learning_rate": float("nan")}, "learning_rate of at least 0. Received: "),
        ({"max_length_ratio": 0.9}, "max_length_ratio of at least 1. Received: 0.9"),
        ({"tokens_per_batch": -1}, "tokens_per_batch of at least 0. Received: -1"),
        ({"cell": "rnn"}, "cell among .* Received: rnn"),
        ({"readout_units": 64}, "readout_units of 0 or 256 .*tie_embeddings all. Received: 64"),
    ],
)
def test_values_out_of_range_are_refused(change, message):
    with pytest.raises(InputError, match=message):
        TrainingOptions(**change)
