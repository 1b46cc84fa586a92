"""Greedy search: the most probable token at every position."""

from keras_bahdanau.search.beam import beam_search


def greedy_search(step, initial_states, constants=(), **options):
    """Generates a sequence for each sentence by taking the most probable token each time.

    It is `beam_search` with one hypothesis, and takes the arguments of that. Which of several
    equally probable tokens is taken is not specified.

    Returns:
        A `SearchResult` with one hypothesis for each sentence.
    """
    return beam_search(step, initial_states, constants, beam_width=1, **options)
