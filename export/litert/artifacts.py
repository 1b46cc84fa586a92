"""Files beside `translator.tflite`: `manifest.json`, with a quality report, and `golden.jsonl`."""

import hashlib
import json
from pathlib import Path

import sacrebleu
from ai_edge_litert.interpreter import OpResolverType

from keras_bahdanau.errors import InputError
from keras_bahdanau.files import write_json
from keras_bahdanau.text.splitting import split_text

from .. import runtime


def write_manifest(directory, description):
    """Writes `manifest.json` with the sizes and SHA-256 checksums of the directory's other files.

    Args:
        directory: the exported directory.
        description: dict of further entries.
    """
    directory = Path(directory)
    files = {}
    for path in sorted(directory.iterdir()):
        if path.name != runtime.MANIFEST_NAME:
            content = path.read_bytes()
            files[path.name] = {
                "bytes": len(content),
                "sha256": hashlib.sha256(content).hexdigest(),
            }
    write_json(
        directory / runtime.MANIFEST_NAME,
        {
            "format": runtime.FORMAT,
            "format_version": runtime.FORMAT_VERSION,
            **description,
            "files": files,
        },
        indent=1,
    )


def compare_quality(translator, directory, sources, references, length_penalty):
    """BLEU of the model before and after the export.

    Args:
        translator: the `Translator` that was exported.
        directory: the exported directory.
        sources, references: lists of texts.
        length_penalty: of the exported beam search.

    Returns:
        dict for the manifest: `sentences` (their number), sacreBLEU's `signature`, and for `greedy`
        and `beam` a dict of `bleu_before`, `bleu_after` (0 to 100) and `identical`, the share of
        identical translations (0 to 1).
    """
    exported = runtime.LiteTranslator(directory, split=split_text)
    bleu, report = sacrebleu.BLEU(force=True), {}

    def score(translations):
        return round(bleu.corpus_score(translations, [list(references)]).score, 2)

    for name, beam_width in (("greedy", 1), ("beam", exported.beam_width)):
        before = translator.translate(sources, beam_width=beam_width, length_penalty=length_penalty)
        after = exported.translate(sources, beam_width)
        same = sum(map(str.__eq__, before, after))
        report[name] = {
            "bleu_before": score(before),
            "bleu_after": score(after),
            "identical": round(same / len(sources), 4),
        }
    return {"sentences": len(sources), "signature": str(bleu.get_signature()), **report}


def check_references(sources, references):
    """Raises InputError unless there is one reference for each source."""
    if not sources or len(sources) != len(references):
        raise InputError(
            "Expected as many references as sources to compare the quality on, and at least one. "
            f"Received: {len(sources)} sources, {len(references)} references"
        )


def write_golden(directory, texts):
    """Translates texts with the exported file and writes `golden.jsonl`: test vectors for ports.

    Each line is a JSON object: `text`, `pieces`, `source_ids` (with the end token), `max_length`
    (maximum number of tokens), and for `greedy` and `beam` the `token_ids` (with the end token
    where it was generated) and the `translation`; `beam` has `log_probability` and `score` too.

    Blank texts and texts beyond the limit are left out, and so are texts whose translation depends
    on the rounding of a processor: those that XNNPACK's kernels and LiteRT's builtin ones
    translate differently. With int8, another rounding changes logits by some hundredths.

    Args:
        directory: an exported directory with a manifest.
        texts: iterable of `str`.
    """
    translator = runtime.LiteTranslator(directory)
    builtin = BuiltinKernels(directory)
    lines = []
    for text in texts:
        if text.strip() and translator.source_length(text) <= translator.max_length:
            line = translator.golden_line(text)
            if _has_same_tokens(line, builtin.golden_line(text)):
                lines.append(json.dumps(line, ensure_ascii=False))
    path = Path(directory) / runtime.GOLDEN_NAME
    path.write_text("".join(line + "\n" for line in lines), encoding="utf-8")


class BuiltinKernels(runtime.LiteTranslator):
    """Runs LiteRT's builtin kernels instead of XNNPACK's."""

    def __init__(self, directory):
        super().__init__(directory)
        self._graphs = runtime.InterpreterGraphs(
            (Path(directory) / runtime.FILE_NAME).read_bytes(),
            num_threads=1,
            experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
        )


def _has_same_tokens(line, other):
    return all(line[name]["token_ids"] == other[name]["token_ids"] for name in ("greedy", "beam"))


# Always in `golden.jsonl`: varied scripts, punctuation, spaces, and texts without known pieces.
SAMPLE_TEXTS = (
    "Hello.",
    "Hello",
    "hello hello hello",
    "The cat sleeps.",
    "A man in a blue shirt is standing on a ladder.",
    "Two young girls are playing with a dog in the snow.",
    "The old house has three small windows.",
    "Where is the red book?",
    "She does not eat meat.",
    "I have seven green apples and two lemons.",
    "Do you want to drink a cup of coffee?",
    "My sister lives in a white house near the river.",
    "We are not going to the city today.",
    "They read long letters every morning, and they never answer.",
    "The train leaves at 10:45.",
    "It costs $3.50!",
    "No!",
    "What?",
    "One, two, three, four, five, six.",
    "A group of people stands in front of an old church while a woman takes a photo of them.",
    "The tall woman buys a new car; the short man sells it.",
    "\u00bfD\u00f3nde est\u00e1 la biblioteca?",
    "Stra\u00dfe, \u00c9cole, na\u00efve, \u0141\u00f3d\u017a",
    "cafe\u0301 and caf\u00e9",
    "THE SAME WORDS IN CAPITALS.",
    "   spaces    around   and  inside   ",
    "tab\tand (brackets) [of] {all} kinds",
    "\u4f60\u597d\uff0c\u4e16\u754c\u3002",
    "\u0645\u0631\u062d\u0628\u0627 \u0628\u0627\u0644\u0639\u0627\u0644\u0645",
    "<s> and </s> are plain text here",
    "A smile \U0001f600 and a family \U0001f468\u200d\U0001f469\u200d\U0001f467",
    "e-mail: someone@example.org, https://example.org/?q=1&r=2",
)
