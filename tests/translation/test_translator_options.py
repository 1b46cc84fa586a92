"""Samples, prefixes, banned pieces and ensembles of a translator."""

import numpy as np
import pytest
from small_translator import small_translator

from keras_bahdanau import Translator
from keras_bahdanau.text.tokenizer import Tokenizer

TEXTS = ["the dog runs", "a", "", "el gato rojo duerme", "the red house the red house", "  ", "cat"]


def test_samples_depend_on_text_and_seed_alone(untrained):
    options = {"sample": True, "n_best": 3, "top_k": 20, "temperature": 1.5}
    together = untrained.translate(TEXTS, **options, seed=7)
    assert [untrained.translate([text], **options, seed=7)[0] for text in TEXTS] == together
    assert untrained.translate(TEXTS, **options, seed=7, batch_size=2) == together
    assert untrained.translate(TEXTS, **options, seed=8) != together
    # No search among the samples of a text: they differ.
    assert len(set(together[0])) > 1


def test_translations_begin_with_their_prefixes(untrained):
    prefixes = ["la casa", "", "el", "el perro", "la", "un", ""]
    found = untrained.translate(TEXTS, prefixes=prefixes)
    for text, translation, prefix in zip(TEXTS, found, prefixes, strict=True):
        # Nothing is made of nothing.
        assert translation.startswith(prefix) or (text.strip() == "" and translation == "")
    free = untrained.translate(TEXTS)
    assert [found[1], found[6]] == [free[1], free[6]]


def test_prefix_of_a_text_in_parts_stands_at_its_beginning(untrained):
    (translation,) = untrained.translate(["the red dog runs. " * 20], prefixes=["el gato"])
    assert translation.startswith("el gato")


def test_banned_pieces_do_not_appear(untrained):
    options = {"return_alignments": True, "beam_width": 2}
    found = untrained.translate(TEXTS, **options)
    banned = found[0].target_pieces[0]
    assert banned not in ("</s>", "<unk>")
    for translation in untrained.translate(TEXTS, banned_pieces=[banned], **options):
        assert banned not in translation.target_pieces


def test_ensemble_scores_are_means(untrained):
    other = small_translator(order="between")
    both = Translator(untrained.model, untrained.tokenizer, untrained.config, [other])
    targets = ["el perro", "gato", "", "rojo rojo", "la casa", "un", "a"]
    means = np.mean([each.score(TEXTS, targets) for each in (untrained, other)], axis=0)
    np.testing.assert_allclose(both.score(TEXTS, targets), means, atol=1e-4)
    alone = Translator(untrained.model, untrained.tokenizer, untrained.config, [untrained])
    assert alone.translate(TEXTS) == untrained.translate(TEXTS)


def test_ensemble_of_another_tokenizer_is_refused(untrained):
    size = untrained.tokenizer.vocabulary_size
    tokenizer = Tokenizer.train([f"el {number} perro rojo" for number in range(999)], size)
    assert tokenizer.vocabulary_size == size
    other = Translator(untrained.model, tokenizer)
    with pytest.raises(ValueError, match="translators with the same tokenizer.*another tokenizer"):
        Translator(untrained.model, untrained.tokenizer, untrained.config, [other])
