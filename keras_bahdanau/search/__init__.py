"""Beam search, greedy search and sampling for any step function; no model is assumed."""

from keras_bahdanau.search.beam import beam_search as beam_search
from keras_bahdanau.search.beam import greedy_search as greedy_search
from keras_bahdanau.search.hypotheses import SearchResult as SearchResult
from keras_bahdanau.search.sample import sample as sample
