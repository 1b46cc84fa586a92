"""Signatures of models and recurrent layers: editors and `help()` show all arguments."""

import inspect

import keras
import pytest

from keras_bahdanau import AttentionCell, AttentionRNN, BahdanauAttention
from keras_bahdanau.models import Decoder, Encoder, TranslationModel
from keras_bahdanau.recurrent.gru_cell import GRUCell
from keras_bahdanau.recurrent.packed_rnn import SkippingRNN

OF_KERAS = {"name", "trainable", "dtype"}
MAKERS = {
    AttentionCell: lambda: AttentionCell(GRUCell(3), BahdanauAttention(2)),
    AttentionRNN: lambda: AttentionRNN(GRUCell(3), BahdanauAttention(2)),
    Decoder: lambda: Decoder(5, memory_dim=4),
    Encoder: lambda: Encoder(5),
    GRUCell: lambda: GRUCell(3),
    SkippingRNN: lambda: SkippingRNN(GRUCell(3)),
    TranslationModel: lambda: TranslationModel(5),
}


@pytest.mark.parametrize("layer_class", MAKERS, ids=lambda layer_class: layer_class.__name__)
def test_signature_names_every_argument_of_the_config(layer_class):
    arguments = inspect.signature(layer_class).parameters.keys() - {"kwargs"}
    config = MAKERS[layer_class]().get_config()
    assert arguments == config.keys() - OF_KERAS


@pytest.mark.parametrize("model_class", [Decoder, Encoder])
def test_arguments_are_attributes(model_class):
    model = MAKERS[model_class]()
    config = model.get_config()
    assert isinstance(model, keras.Model)
    assert {name: getattr(model, name) for name in config} == config
