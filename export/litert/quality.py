"""What an export costs in quality: BLEU of a translator before and after."""

import sacrebleu

from keras_bahdanau.errors import InputError
from keras_bahdanau.export import runtime
from keras_bahdanau.text.splitting import split_text


def check_references(sources, references):
    """Raises InputError unless there is one reference for each source."""
    if not sources or len(sources) != len(references):
        raise InputError(
            "Expected as many references as sources to compare the quality on, and at least one. "
            f"Received: {len(sources)} sources, {len(references)} references"
        )


def quality(translator, directory, sources, references, length_penalty):
    """Translates the same texts before and after the export.

    Args:
        translator: the `Translator` that was exported.
        directory: the exported directory.
        sources, references: lists of texts.
        length_penalty: that of the exported beam search.

    Returns:
        dict for the manifest: `sentences`, sacreBLEU's `signature`, and for `greedy` and `beam`
        a dict of `bleu_before`, `bleu_after` (0 to 100) and `identical`, the share of translations
        that are the same (0 to 1).
    """
    exported = runtime.LiteTranslator(directory, split=split_text)
    bleu, found = sacrebleu.BLEU(force=True), {}

    def score(translations):
        return round(bleu.corpus_score(translations, [list(references)]).score, 2)

    for name, beam_width in (("greedy", 1), ("beam", exported.beam_width)):
        before = translator.translate(sources, beam_width=beam_width, length_penalty=length_penalty)
        after = exported.translate(sources, beam_width)
        same = sum(map(str.__eq__, before, after))
        found[name] = {
            "bleu_before": score(before),
            "bleu_after": score(after),
            "identical": round(same / len(sources), 4),
        }
    return {"sentences": len(sources), "signature": str(bleu.get_signature()), **found}
