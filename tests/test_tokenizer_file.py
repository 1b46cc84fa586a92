import math

import sentencepiece
from small_translator import small_tokenizer

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
