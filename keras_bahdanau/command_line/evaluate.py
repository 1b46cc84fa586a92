"""`keras-bahdanau evaluate`."""

import json
import sys

from keras_bahdanau.command_line.lines import print_line
from keras_bahdanau.command_line.parser import add_search_arguments, search_options

DESCRIPTION = """\
Translate a test set and print one JSON object: bleu and chrf (0 to 100, cased and detokenised),
sacreBLEU's signatures, sentences, sentences_per_second. Lines longer than the model's limit are
translated in parts, never cut off; split_sentences counts them.

MODEL is what `keras-bahdanau translate` takes.
"""
EPILOG = """\
examples:
  keras-bahdanau evaluate my-model --source test.en --reference test.de
  keras-bahdanau evaluate my-model/litert --source test.en.gz --reference test.de.gz
"""


def add_arguments(parser):
    parser.add_argument("model", metavar="MODEL", help="what to translate with")
    parser.add_argument("--source", required=True, help="text file, plain or .gz")
    parser.add_argument("--reference", required=True, help="its translation, line by line")
    parser.add_argument("--translations", metavar="FILE", help="write the translations here")
    add_search_arguments(parser)


def run(arguments):
    from keras_bahdanau.training.corpora.parallel_text import read_parallel

    pairs = read_parallel(arguments.source, arguments.reference)

    from keras_bahdanau.command_line.models import open_translator
    from keras_bahdanau.files import atomic_path
    from keras_bahdanau.training.evaluation import evaluate

    translator = open_translator(arguments.model)
    sources, references = zip(*pairs, strict=True)
    scores, hypotheses = evaluate(translator, sources, references, **search_options(arguments))
    if scores["split_sentences"]:
        print(
            f"note: {scores['split_sentences']} of {len(sources)} lines were longer than the "
            f"model's limit of {translator.max_length} pieces and were translated in parts",
            file=sys.stderr,
        )
    if arguments.translations:
        with atomic_path(arguments.translations) as temporary:
            temporary.write_text("".join(f"{line}\n" for line in hypotheses), encoding="utf-8")
    print_line(json.dumps(scores, ensure_ascii=False))
