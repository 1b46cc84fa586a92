import base64

import sentencepiece
from small_translator import small_tokenizer

from keras_bahdanau.export.litert.tokenizer_file import (
    read_sentencepiece_model,
    tokenizer_description,
)


def test_it_says_how_text_and_spaces_are_treated():
    description = tokenizer_description(small_tokenizer().model_bytes)
    assert description["format"] == "keras-bahdanau-tokenizer"
    assert description["format_version"] == 1
    assert description["normalizer"] == "nmt_nfkc"
    assert description["add_dummy_prefix"] is True
    assert description["byte_fallback"] is False


def test_every_id_has_its_piece():
    tokenizer = small_tokenizer()
    pieces = tokenizer_description(tokenizer.model_bytes)["pieces"]
    processor = sentencepiece.SentencePieceProcessor(model_proto=tokenizer.model_bytes)
    assert [each[0] for each in pieces] == tokenizer.pieces(range(processor.GetPieceSize()))
    assert [each[2] for each in pieces[:4]] == ["control", "unknown", "control", "control"]


def test_a_model_with_settings_that_the_file_has_no_words_for_is_of_another_type():
    model_bytes = small_tokenizer().model_bytes
    assert tokenizer_description(model_bytes)["model_type"] == "unigram"
    for change in (
        lambda model: setattr(model.trainer_spec, "treat_whitespace_as_suffix", True),
        lambda model: setattr(model.trainer_spec, "unk_surface", "?"),
        lambda model: setattr(model.denormalizer_spec, "precompiled_charsmap", b"rules"),
    ):
        model = read_sentencepiece_model(model_bytes)
        change(model)
        assert tokenizer_description(model.SerializeToString())["model_type"] == "other"


def test_the_rules_are_those_of_the_model():
    model_bytes = small_tokenizer().model_bytes
    rules = base64.b64decode(tokenizer_description(model_bytes)["charsmap"], validate=True)
    assert len(rules) > 100_000
    assert rules in model_bytes
