"""Corpus BLEU and chrF of a translator, by sacreBLEU; choice of the length penalty."""

import time
from collections.abc import Sequence

import sacrebleu


def new_bleu(tokenize: str = "13a") -> sacrebleu.BLEU:
    """sacreBLEU's cased BLEU, 0 to 100 (Post 2018, https://aclanthology.org/W18-6319).

    Args:
        tokenize: sacreBLEU tokenizer: `"13a"` for plain text, `"none"` for text that is tokenized
            already (as some papers score it), or another of its names.
    """
    # Without `force`, sacreBLEU warns about each line of tokenized text.
    return sacrebleu.BLEU(tokenize=tokenize, force=True)


def corpus_bleu(
    hypotheses: Sequence[str], references: Sequence[str], tokenize: str = "13a"
) -> float:
    """Returns the BLEU of texts against one reference each; see `new_bleu`."""
    return new_bleu(tokenize).corpus_score(list(hypotheses), [list(references)]).score


def choose_length_penalty(
    translator,
    sources: Sequence[str],
    references: Sequence[str],
    tokenize: str = "13a",
    candidates: Sequence[float] = (0.6, 1.0, 1.4),
) -> tuple[float, float]:
    """Returns the length penalty for beam search: 1, unless another is clearly better.

    Differences of less than half a BLEU point are noise on a validation set of a thousand
    sentences: among the candidates within half a point of the best, the one nearest to 1 is chosen.

    Args:
        translator: a `Translator`.
        sources, references: validation texts.
        tokenize: see `new_bleu`.
        candidates: length penalties to try.

    Returns:
        `(length_penalty, bleu)`.
    """
    found = {
        penalty: corpus_bleu(
            translator.translate(sources, length_penalty=penalty), references, tokenize
        )
        for penalty in candidates
    }
    near = [penalty for penalty in found if found[penalty] > max(found.values()) - 0.5]
    chosen = min(near, key=lambda penalty: abs(penalty - 1))
    return chosen, found[chosen]


def evaluate(
    translator,
    sources: Sequence[str],
    references: Sequence[str],
    tokenize: str = "13a",
    **options,
) -> tuple[dict, list[str]]:
    """Translates sources and compares them with references.

    Args:
        translator: a `TextTranslator`.
        sources: texts.
        references: one reference for each.
        tokenize: sacreBLEU's tokenizer, see `new_bleu`.
        **options: arguments of `translate_n_best`.

    Returns:
        `(scores, translations)`: a flat dict of `bleu`, `chrf` (Popović 2015), `signature`,
        `chrf_signature`, `sentences`, `split_sentences` (longer than the model's limit, so
        translated in parts), `beam_width` (`None` where only a server knows it), `seconds` and
        `sentences_per_second`; and the texts.
    """
    started = time.perf_counter()
    translations, number_split = translator.translate_n_best(sources, **options)
    seconds = time.perf_counter() - started
    hypotheses = [ranked[0].text for ranked in translations]
    bleu, chrf, defaults = new_bleu(tokenize), sacrebleu.CHRF(), translator.options
    scores = {
        "bleu": round(bleu.corpus_score(hypotheses, [list(references)]).score, 2),
        "chrf": round(chrf.corpus_score(hypotheses, [list(references)]).score, 2),
        "signature": str(bleu.get_signature()),
        "chrf_signature": str(chrf.get_signature()),
        "sentences": len(hypotheses),
        "split_sentences": number_split,
        "beam_width": options.get("beam_width", defaults and defaults.beam_width),
        "seconds": round(seconds, 3),
        "sentences_per_second": round(len(hypotheses) / seconds, 2),
    }
    return scores, hypotheses
