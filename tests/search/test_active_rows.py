import keras
import numpy as np
import pytest
from toy_language import ToyLanguage, arrays_of, tokens_of

from keras_bahdanau.backend.loops import ROW_MULTIPLE
from keras_bahdanau.search import beam_search, sample

SENTENCES = 48


def counted(search, rows):
    """The search, with the number of rows of each call of its step function."""

    def run(step, *arguments, **options):
        def counting(token_ids, states, constants):
            rows.append(token_ids.shape[0])
            assert constants["logits"].shape[0] == states["history"].shape[0] == rows[-1]
            return step(token_ids, states, constants)

        return search(counting, *arguments, **options)

    return run


@pytest.mark.parametrize("width", [1, 4])
def test_batch_shrinks_as_hypotheses_finish(width):
    if keras.backend.backend() == "jax":
        pytest.skip("on JAX every hypothesis keeps its row")
    language = ToyLanguage(sentences=SENTENCES, vocabulary_size=8, seed=1)
    rows = []
    result = language.search_with(
        counted(beam_search, rows), beam_width=width, n_best=width, max_length=30
    )
    lengths = arrays_of(result)["lengths"]
    assert len(rows) == lengths.max()
    # The beams of a sentence start identical.
    assert rows[0] == SENTENCES
    for position, computed in enumerate(rows):
        if width == 1:
            # Compacted as soon as an eighth of the rows can go.
            active = (lengths > position).sum()
            needed = active + -active % ROW_MULTIPLE
            assert computed == needed or needed * 8 > computed * 7 >= active * 7
    assert rows[-1] < SENTENCES * width / 2


def test_samples_have_their_own_rows():
    if keras.backend.backend() == "jax":
        pytest.skip("on JAX every hypothesis keeps its row")
    language = ToyLanguage(sentences=SENTENCES, vocabulary_size=8, seed=1)
    noise = np.random.default_rng(0).random((SENTENCES, 3, 30)).astype("float32")
    rows = []
    result = language.search_with(counted(sample, rows), noise=noise, max_length=30)
    assert rows[0] == 3 * SENTENCES and rows[-1] < SENTENCES
    found = {tokens_of(result, 0, rank) for rank in range(3)}
    assert len(found) > 1
