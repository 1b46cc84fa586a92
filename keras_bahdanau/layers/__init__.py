"""Attention layers."""

from keras_bahdanau.layers.bahdanau_attention import BahdanauAttention as BahdanauAttention
from keras_bahdanau.layers.coverage_attention import CoverageAttention as CoverageAttention
from keras_bahdanau.layers.coverage_attention import coverage_loss as coverage_loss
from keras_bahdanau.layers.location_sensitive_attention import (
    LocationSensitiveAttention as LocationSensitiveAttention,
)
from keras_bahdanau.layers.monotonic_attention import MonotonicAttention as MonotonicAttention
from keras_bahdanau.layers.monotonic_chunkwise_attention import (
    MonotonicChunkwiseAttention as MonotonicChunkwiseAttention,
)
from keras_bahdanau.layers.tensorflow_addons import attention_from_addons as attention_from_addons
