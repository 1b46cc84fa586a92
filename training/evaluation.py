"""Corpus scores of a translator: BLEU and chrF, by sacreBLEU."""

import time
from collections.abc import Sequence

import sacrebleu


def corpus_bleu(hypotheses: Sequence[str], references: Sequence[str]) -> float:
    """Cased, detokenised BLEU (sacreBLEU, tokenizer 13a), 0 to 100.

    Reference: Post 2018, https://aclanthology.org/W18-6319
    """
    return sacrebleu.BLEU().corpus_score(list(hypotheses), [list(references)]).score


def evaluate(
    translator, sources: Sequence[str], references: Sequence[str], beam_width: int = 5, **options
) -> tuple[dict, list[str]]:
    """Translates sources and compares them with references.

    Args:
        translator: has `translate_n_best`, as a `Translator` does.
        sources: texts.
        references: one reference for each.
        beam_width: number of hypotheses kept.
        **options: more arguments of `translate_n_best`.

    Returns:
        `(scores, translations)`: a flat dict of `bleu`, `chrf` (Popović 2015), `signature`,
        `chrf_signature`, `sentences`, `split_sentences` (longer than the model's limit, so
        translated in parts), `beam_width`, `seconds` and `sentences_per_second`; and the texts.
    """
    started = time.perf_counter()
    translations, number_split = translator.translate_n_best(
        sources, beam_width=beam_width, **options
    )
    seconds = time.perf_counter() - started
    hypotheses = [ranked[0].text for ranked in translations]
    bleu, chrf = sacrebleu.BLEU(), sacrebleu.CHRF()
    scores = {
        "bleu": round(bleu.corpus_score(hypotheses, [list(references)]).score, 2),
        "chrf": round(chrf.corpus_score(hypotheses, [list(references)]).score, 2),
        "signature": str(bleu.get_signature()),
        "chrf_signature": str(chrf.get_signature()),
        "sentences": len(hypotheses),
        "split_sentences": number_split,
        "beam_width": beam_width,
        "seconds": round(seconds, 3),
        "sentences_per_second": round(len(hypotheses) / seconds, 2),
    }
    return scores, hypotheses
