"""Recurrent cells and layers with attention."""

from keras_bahdanau.recurrent.attention_cell import AttentionCell as AttentionCell
from keras_bahdanau.recurrent.attention_rnn import AttentionRNN as AttentionRNN
