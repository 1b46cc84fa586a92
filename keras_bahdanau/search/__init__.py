"""Search for token sequences with any step function: greedy and beam search, and sampling."""

from keras_bahdanau.search.beam import beam_search as beam_search
from keras_bahdanau.search.beam import greedy_search as greedy_search
from keras_bahdanau.search.hypotheses import SearchResult as SearchResult
from keras_bahdanau.search.sample import sample as sample
