"""Search for the best token sequences of any step function: greedy search and beam search."""

from keras_bahdanau.search.beam import beam_search as beam_search
from keras_bahdanau.search.beam import repeat_for_beams as repeat_for_beams
from keras_bahdanau.search.greedy import greedy_search as greedy_search
from keras_bahdanau.search.result import SearchResult as SearchResult
