import numpy as np
import pytest
from toy_language import ToyLanguage, arrays_of

from keras_bahdanau.search import beam_search


@pytest.mark.parametrize("options", [{}, {"length_penalty_type": "wu"}, {"coverage_penalty": 0.1}])
@pytest.mark.parametrize("length_penalty", [0.0, 0.3, 1.0, 2.0])
def test_what_is_dropped_would_not_have_been_among_the_best(length_penalty, options):
    language = ToyLanguage(sentences=40, vocabulary_size=8, seed=9)
    # No hypothesis is dropped where all are wanted.
    options = {"beam_width": 5, "max_length": 12, "length_penalty": length_penalty, **options}
    everything = arrays_of(language.search_with(beam_search, n_best=5, **options))
    for n_best in (1, 2, 4):
        for name, value in arrays_of(
            language.search_with(beam_search, n_best=n_best, **options)
        ).items():
            np.testing.assert_allclose(value, everything[name][:, :n_best], rtol=1e-6, err_msg=name)


def test_nothing_is_computed_after_the_best_is_certain():
    language = ToyLanguage(sentences=1, vocabulary_size=8, seed=9)
    # The end is nearly certain everywhere, and one of the words the next best.
    language.logits[:, :, 2] = 20
    calls = []

    def run(step, *arguments, **options):
        def counted(*arguments):
            calls.append(1)
            return step(*arguments)

        return beam_search(counted, *arguments, **options)

    options = {"beam_width": 4, "max_length": 30, "length_penalty": 0.0}
    language.search_with(run, n_best=1, **options)
    assert len(calls) == 1
