import base64
import math

import sentencepiece
from small_translator import small_tokenizer

from keras_bahdanau.export.litert.sentencepiece_model import read_sentencepiece_model
from keras_bahdanau.export.litert.tokenizer_file import tokenizer_description


def best_pieces(text, pieces):
    """Viterbi over a unigram model's scores, as a port would write it."""
    scores = {piece: score for piece, score, kind in pieces if kind == "normal"}
    best = [(0.0, [])] + [(-math.inf, [])] * len(text)
    for end in range(1, len(text) + 1):
        for start in range(end):
            total, before = best[start]
            piece = text[start:end]
            if total + scores.get(piece, -math.inf) > best[end][0]:
                best[end] = (total + scores[piece], [*before, piece])
    return best[-1][1]


def test_its_scores_cut_text_as_sentencepiece_does():
    tokenizer = small_tokenizer()
    description = tokenizer_description(tokenizer.model_bytes)
    assert description["normalizer"] == "nmt_nfkc"
    assert description["add_dummy_prefix"] is True
    for text in ("the red house sleeps", "el perro rojo corre", "gato"):
        marked = "".join("\u2581" + word for word in text.split())
        expected = tokenizer.pieces(tokenizer.encode(text))
        assert best_pieces(marked, description["pieces"]) == expected


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
