import json
import shutil

import keras
import numpy as np
import pytest
from small_translator import small_translator
from toy_corpus import word_by_word_pairs

from keras_bahdanau import Translator
from keras_bahdanau.errors import InputError
from keras_bahdanau.models import TranslationModel
from keras_bahdanau.text.tokenizer import Tokenizer

TEXTS = ["the dog runs", "a", "", "el gato rojo duerme", "the red house the red house", "  ", "cat"]
ODD_TEXTS = [
    "🙂 👩\u200d👩\u200d👧",
    "שלום עולם",
    "e\u0301 n\u0303 q\u0323\u0307",
    "nul \0 here",
    "<s> the </s> dog [START] <pad>",
    "漢字かな",
    "a\u2028b\x85c\vd\fe\rf",
    "\u200b",
    "the dog. " * 60,
    "dog" * 3_333,
    "漢" * 10_000,
]


@pytest.fixture(scope="module")
def trained(trained_run):
    return Translator.load(trained_run.directory)


@pytest.mark.parametrize("beam_width", [1, 3])
def test_a_text_alone_in_company_and_in_any_order(untrained, beam_width):
    together = untrained.translate(TEXTS, beam_width=beam_width)
    assert [untrained.translate([text], beam_width=beam_width)[0] for text in TEXTS] == together
    assert untrained.translate(TEXTS[::-1], beam_width=beam_width) == together[::-1]
    assert untrained.translate(TEXTS, beam_width=beam_width, batch_size=2) == together


def test_blank_texts_have_blank_translations(untrained):
    assert untrained.translate(["", "   ", "\t\u3000"]) == ["", "", ""]
    assert untrained.translate([]) == []
    assert untrained.translate([""], n_best=3, return_alignments=True)[0][0].attention.size == 0


def test_odd_texts(untrained):
    translations, number_split = untrained.translate_n_best(ODD_TEXTS, beam_width=2)
    assert len(translations) == len(ODD_TEXTS)
    assert all(isinstance(ranked[0].text, str) for ranked in translations)
    # A run of unseen letters is one unknown piece, however long it is.
    assert number_split == 2


def test_texts_beyond_the_limit_are_translated_whole(untrained):
    (ranked,), number_split = untrained.translate_n_best(["the red dog runs. " * 20], beam_width=1)
    assert number_split == 1
    sources = "".join(ranked[0].source_pieces).replace("</s>", "")
    assert sources == "▁the▁red▁dog▁runs<unk>" * 20


@pytest.mark.parametrize("length_penalty", [0.0, 1.0])
def test_n_best_lists_are_sorted_by_score(untrained, length_penalty):
    found = untrained.translate(
        TEXTS[:2], beam_width=4, n_best=4, length_penalty=length_penalty, return_alignments=True
    )
    for ranked in found:
        scores = [
            each.log_probability / len(each.target_pieces) ** length_penalty for each in ranked
        ]
        assert len(ranked) == 4
        assert scores == sorted(scores, reverse=True)
        assert len({each.target_pieces for each in ranked}) == 4


def test_the_first_of_n_best_is_the_translation(untrained):
    best = untrained.translate(TEXTS, beam_width=4)
    assert [ranked[0] for ranked in untrained.translate(TEXTS, beam_width=4, n_best=2)] == best


def test_alignments_have_a_row_for_each_target_piece(untrained):
    for text, found in zip(TEXTS, untrained.translate(TEXTS, return_alignments=True), strict=True):
        assert found.attention.shape == (len(found.target_pieces), len(found.source_pieces))
        np.testing.assert_allclose(found.attention.sum(axis=1), 1.0, atol=1e-5)
        if text.strip():
            ids = untrained.tokenizer.encode(text)
            assert found.source_pieces == (*untrained.tokenizer.pieces(ids), "</s>")


def test_translations_are_no_longer_than_their_limit(untrained):
    for found in untrained.translate(TEXTS, return_alignments=True):
        bound = min(2 * len(found.source_pieces) + 10, 30)
        assert len(found.target_pieces) <= bound


def test_a_trained_translator_translates(trained):
    pairs = word_by_word_pairs(340)[320:]
    found = trained.translate([source for source, _ in pairs])
    assert sum(text == target for text, (_, target) in zip(found, pairs, strict=True)) > 10


def test_the_score_is_the_log_probability_of_the_translation(trained):
    sources = [source for source, _ in word_by_word_pairs(340)[300:]]
    found = trained.translate(sources, return_alignments=True)
    scores = trained.score(sources, [each.text for each in found])
    same = 0
    for each, score in zip(found, scores, strict=True):
        # Text that the tokenizer cuts in another way than the model wrote it has another score.
        pieces = trained.tokenizer.pieces(trained.tokenizer.encode(each.text))
        if (*pieces, "</s>") == each.target_pieces:
            assert score == pytest.approx(each.log_probability, abs=1e-4)
            same += 1
    assert same > 20


def test_scores_do_not_depend_on_the_batch(trained):
    sources, targets = zip(*word_by_word_pairs(12), strict=True)
    sources, targets = [*sources, "", "sun"], [*targets, "nus", ""]
    together = trained.score(sources, targets)
    alone = [trained.score([s], [t])[0] for s, t in zip(sources, targets, strict=True)]
    np.testing.assert_allclose(together, alone, atol=1e-4)
    np.testing.assert_allclose(trained.score(sources, targets, batch_size=3), together, atol=1e-4)
    assert all(score < 0 for score in together)


def test_a_right_translation_scores_above_a_wrong_one(trained):
    right, wrong = trained.score(["sun moon", "sun moon"], ["nus noom", "niar flow"])
    assert right > wrong


def test_save_and_load(untrained, untrained_directory):
    loaded = Translator.load(untrained_directory)
    assert loaded.max_length == 24
    assert loaded.translate(TEXTS) == untrained.translate(TEXTS)
    assert loaded.score(["the dog"], ["el perro"]) == untrained.score(["the dog"], ["el perro"])
    names = {path.name for path in untrained_directory.iterdir()}
    assert names == {"model.keras", "tokenizer.model", "config.json"}


def test_one_text_is_not_a_list_of_letters(untrained):
    with pytest.raises(TypeError, match="Expected a list of texts. Received: one str"):
        untrained.translate("the dog")
    with pytest.raises(TypeError, match="Received: one generator"):
        untrained.translate(text for text in TEXTS)
    with pytest.raises(TypeError, match="Received: NoneType at index 1"):
        untrained.translate(["a", None])
    with pytest.raises(TypeError, match="Received: one bytes"):
        untrained.score(["a"], b"a")


def test_a_lone_surrogate_is_refused(untrained):
    with pytest.raises(InputError, match=r"lone surrogate '\\ud800' at index 1"):
        untrained.translate(["a", "b\ud800"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"beam_width": 0}, "Expected beam_width of at least 1. Received: 0"),
        ({"n_best": 0}, "Expected n_best of at least 1. Received: 0"),
        ({"n_best": 6}, "Received: n_best=6, beam_width=5"),
        ({"length_penalty": -1.0}, "length_penalty"),
        ({"batch_size": 0}, "batch_size of at least 1"),
        ({"banned_pieces": ["no such"]}, "Expected pieces of the vocabulary.*Received: no such"),
        ({"prefixes": []}, "as many prefixes as texts. Received: 0 prefixes, 1 texts"),
    ],
)
def test_arguments_out_of_range(untrained, arguments, message):
    with pytest.raises(ValueError, match=message):
        untrained.translate(["a"], **arguments)


def test_sources_without_targets_are_refused(untrained):
    with pytest.raises(ValueError, match="Received: 2 sources, 1 targets"):
        untrained.score(["a", "b"], ["a"])


def test_the_tokenizer_must_be_that_of_the_model(untrained):
    other = Tokenizer.train(["a b c"], 20)
    with pytest.raises(ValueError, match=f"{other.vocabulary_size} pieces, a model of 48"):
        Translator(untrained.model, other)


@pytest.fixture
def directory(untrained_directory, tmp_path):
    return shutil.copytree(untrained_directory, tmp_path / "copy")


def test_a_truncated_model_is_refused(directory):
    content = (directory / "model.keras").read_bytes()
    (directory / "model.keras").write_bytes(content[: len(content) // 2])
    with pytest.raises(InputError, match="Expected a Keras model. Received: .*model.keras"):
        Translator.load(directory)


@pytest.mark.parametrize("content", [b"", b"garbage"])
def test_garbage_for_a_tokenizer_is_refused(directory, content):
    (directory / "tokenizer.model").write_bytes(content)
    with pytest.raises(InputError, match="tokenizer.model: Expected a SentencePiece model"):
        Translator.load(directory)


def test_the_tokenizer_of_another_model_is_refused(directory):
    Tokenizer.train(["a b c"], 20).save(directory / "tokenizer.model")
    with pytest.raises(InputError, match="copy: Expected the tokenizer of the model"):
        Translator.load(directory)


def test_another_kind_of_model_is_refused(directory):
    other = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    other.save(directory / "model.keras")
    with pytest.raises(InputError, match="model.keras, which holds a Sequential"):
        Translator.load(directory)


def test_a_model_that_would_run_code_is_refused(directory, untrained):
    inputs = keras.Input((2,))
    model = keras.Model(inputs, keras.layers.Lambda(lambda x: x + 1)(inputs))
    model.save(directory / "model.keras")
    with pytest.raises(InputError, match="cannot be read: .*Lambda"):
        Translator.load(directory)


def test_the_limits_have_defaults():
    translator = small_translator()
    plain = Translator(translator.model, translator.tokenizer)
    assert plain.max_length == 128
    assert isinstance(plain.model, TranslationModel)


def test_the_config_file_tells_the_limits(untrained_directory):
    config = json.loads((untrained_directory / "config.json").read_text())
    assert config["max_length"] == 24
    assert config["max_target_length"] == 30
