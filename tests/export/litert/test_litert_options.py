"""Options of an export: attention scores, a shortlist, a comparison of BLEU."""

import json

import numpy as np
import pytest
import sacrebleu
from small_translator import SPANISH, small_translator

from keras_bahdanau.export.litert import export_litert
from keras_bahdanau.export.runtime import LiteTranslator

TEXTS = ["the red house", "el perro corre", "a cat", "the dog sleeps 12", "la casa roja"]
REFERENCES = ["la casa", "the dog", "un gato", "el perro", "the red house"]
BEAM_WIDTH = 3


@pytest.fixture(scope="module")
def translator():
    return small_translator()


@pytest.fixture(scope="module")
def attending(translator, tmp_path_factory):
    path = tmp_path_factory.mktemp("exported") / "litert"
    return export_litert(
        translator,
        path,
        beam_width=BEAM_WIDTH,
        attention=True,
        sources=TEXTS,
        references=REFERENCES,
    )


@pytest.fixture(scope="module")
def short(translator, tmp_path_factory):
    path = tmp_path_factory.mktemp("exported") / "litert"
    return export_litert(translator, path, beam_width=BEAM_WIDTH, shortlist=[SPANISH])


def manifest(directory):
    return json.loads((directory / "manifest.json").read_text(encoding="utf-8"))


def run(directory, name, text):
    """All outputs of a signature, the source's length with them."""
    exported = LiteTranslator(directory)
    source_ids = exported.source_ids(text)
    bound = np.array([exported.bound(len(source_ids))], "int32")
    found = exported.run(name, {**exported.source_inputs(source_ids), "max_length": bound})
    return found, len(source_ids)


@pytest.mark.parametrize(("name", "beam_width"), [("translate", 1), ("translate_beam", BEAM_WIDTH)])
def test_attention_scores_are_those_of_keras(translator, attending, name, beam_width):
    expected, _ = translator.translate_n_best(TEXTS, beam_width=beam_width, return_alignments=True)
    for text, (best,) in zip(TEXTS, expected, strict=True):
        found, source_length = run(attending, name, text)
        length = int(found["length"][0])
        assert found["attention"].shape == (1, 30, 24)
        scores = found["attention"][0, :length, :source_length]
        np.testing.assert_allclose(scores, best.attention[:length, :source_length], atol=1e-5)
        outside = found["attention"][0].copy()
        outside[:length, :source_length] = 0
        assert not outside.any()


def test_the_manifest_says_what_the_export_cost(translator, attending):
    found = manifest(attending)["quality"]
    assert found["sentences"] == len(TEXTS)
    for name, beam_width in (("greedy", 1), ("beam", BEAM_WIDTH)):
        translations = translator.translate(TEXTS, beam_width=beam_width)
        bleu = sacrebleu.BLEU(force=True).corpus_score(translations, [REFERENCES]).score
        # A file of float32 translates as Keras does.
        expected = {"bleu_before": round(bleu, 2), "bleu_after": round(bleu, 2), "identical": 1.0}
        assert found[name] == expected


def test_without_references_nothing_is_compared(short):
    assert "quality" not in manifest(short)


def test_a_shortlist_is_what_the_translations_consist_of(translator, short):
    kept = {*translator.tokenizer.encode(SPANISH), 0, 1, 2, 3}
    assert manifest(short)["shortlist_size"] == len(kept)
    others = set(range(translator.tokenizer.vocabulary_size)) - kept
    banned = translator.tokenizer.pieces(sorted(others))
    exported = LiteTranslator(short)
    for text in TEXTS:
        source_ids = exported.source_ids(text)
        assert set(exported.search(source_ids)["token_ids"]) <= kept
        # The highest of what is left is the highest that is not banned.
        expected = translator.translate([text], beam_width=1, banned_pieces=banned)
        assert exported.translate([text], beam_width=1) == expected
        assert "".join(exported.stream(text)) == expected[0]


def test_a_shortlist_makes_the_file_smaller_where_source_and_target_have_tables_of_their_own(
    attending, short
):
    files = [path / "translator.tflite" for path in (short, attending)]
    assert files[0].stat().st_size < files[1].stat().st_size
