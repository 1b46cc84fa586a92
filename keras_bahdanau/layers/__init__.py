"""Attention layers."""

from keras_bahdanau.layers.bahdanau_attention import BahdanauAttention as BahdanauAttention
