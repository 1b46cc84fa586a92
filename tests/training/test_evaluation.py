import pytest
import sacrebleu

from keras_bahdanau.training.evaluation import choose_length_penalty, corpus_bleu, evaluate
from keras_bahdanau.translation.result import Translation
from keras_bahdanau.translation.search_options import SearchOptions

REFERENCES = ["The dog runs over the green grass.", "Two men sit on a bench in the park."]


class Parrot:
    """Translates each text to the answer that it was given."""

    def __init__(self, answers):
        self.answers = answers

    options = SearchOptions()

    def translate_n_best(self, texts, beam_width=5):
        return [[Translation(self.answers[text], 0.0)] for text in texts], 1


def test_perfect_translations_have_the_highest_scores():
    parrot = Parrot(dict(zip("ab", REFERENCES, strict=True)))
    scores, texts = evaluate(parrot, ["a", "b"], REFERENCES, beam_width=3)
    assert texts == REFERENCES
    assert scores["bleu"] == 100
    assert scores["chrf"] == 100
    assert scores["sentences"] == 2
    assert scores["split_sentences"] == 1
    assert scores["beam_width"] == 3
    assert "tok:13a" in scores["signature"]
    assert "case:mixed" in scores["signature"]


def test_scores_are_those_of_sacrebleu():
    hypotheses = ["The dog runs on the grass.", "Two women sit on a bench in a park."]
    scores, _ = evaluate(Parrot(dict(zip("ab", hypotheses, strict=True))), ["a", "b"], REFERENCES)
    assert scores["bleu"] == pytest.approx(
        sacrebleu.corpus_bleu(hypotheses, [REFERENCES]).score, abs=0.01
    )
    assert scores["chrf"] == pytest.approx(
        sacrebleu.corpus_chrf(hypotheses, [REFERENCES]).score, abs=0.01
    )
    assert 0 < scores["bleu"] < 100


def test_case_counts():
    assert corpus_bleu([line.lower() for line in REFERENCES], REFERENCES) < 100


class Scripted:
    """Translates with each length penalty to the texts that it was given."""

    def __init__(self, translations):
        self.translations = translations

    def translate(self, texts, length_penalty):
        return self.translations[length_penalty]


BAD = ["The dog runs over the green", "Two men sit on a"]


def test_the_length_penalty_is_one_unless_another_is_clearly_better():
    sources = ["a", "b"]
    equal = Scripted(dict.fromkeys((0.6, 1.0, 1.4), REFERENCES))
    assert choose_length_penalty(equal, sources, REFERENCES) == (1.0, pytest.approx(100))
    longer = Scripted({0.6: BAD, 1.0: BAD, 1.4: REFERENCES})
    assert choose_length_penalty(longer, sources, REFERENCES) == (1.4, pytest.approx(100))
    shorter = Scripted({0.6: REFERENCES, 1.0: BAD, 1.4: BAD})
    assert choose_length_penalty(shorter, sources, REFERENCES) == (0.6, pytest.approx(100))


def test_text_that_is_tokenized_is_scored_as_it_is():
    hypotheses, references = ["a dog , a cat", "x y z a b"], ["a dog, a cat", "x y z a b"]
    assert corpus_bleu(hypotheses, references, "13a") == pytest.approx(100)
    assert corpus_bleu(hypotheses, references, "none") < 100
