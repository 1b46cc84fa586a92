"""`keras-bahdanau evaluate`."""

import json
from pathlib import Path

from keras_bahdanau.command_line.lines import one_line, print_line, report_split
from keras_bahdanau.command_line.parser import add_search_arguments, search_options
from keras_bahdanau.errors import InputError
from keras_bahdanau.training.options import TOKENIZERS

DESCRIPTION = """\
Translate a test set and print one JSON object: bleu and chrf (0 to 100, cased),
sacreBLEU's signatures, sentences, sentences_per_second. Lines longer than the model's limit are
translated in parts, never cut off; split_sentences counts them.

MODEL is any model that `keras-bahdanau translate` takes.
"""
EPILOG = """\
examples:
  keras-bahdanau evaluate my-model --source test.en --reference test.de
  keras-bahdanau evaluate my-model/litert --source test.en.gz --reference test.de.gz
"""


def add_arguments(parser):
    parser.add_argument("model", metavar="MODEL", help="model directory, export or HOST:PORT")
    parser.add_argument("--source", required=True, help="text file, plain or .gz")
    parser.add_argument("--reference", required=True, help="reference translations, line by line")
    parser.add_argument(
        "--tokenize",
        choices=TOKENIZERS,
        default="13a",
        help="sacreBLEU's tokenizer; none for tokenized text",
    )
    parser.add_argument("--translations", metavar="FILE", help="write the translations to a file")
    add_search_arguments(parser)


def run(arguments):
    from keras_bahdanau.training.corpora.parallel_text import read_parallel

    if arguments.translations and Path(arguments.translations).is_dir():
        raise InputError(
            f"Expected a file for --translations. Received: {arguments.translations}, a directory"
        )
    pairs = read_parallel(arguments.source, arguments.reference)

    from keras_bahdanau.files import atomic_path
    from keras_bahdanau.loading import open_translator
    from keras_bahdanau.training.evaluation import evaluate

    options = search_options(arguments)
    translator = open_translator(arguments.model, arguments.ensemble or ())
    sources, references = zip(*pairs, strict=True)
    scores, hypotheses = evaluate(
        translator,
        sources,
        references,
        tokenize=arguments.tokenize,
        batch_size=arguments.batch_size,
        **options,
    )
    report_split(scores["split_sentences"], translator.max_length, total=len(sources))
    if arguments.translations:
        with atomic_path(arguments.translations) as temporary:
            lines = "".join(f"{one_line(text)}\n" for text in hypotheses)
            temporary.write_bytes(lines.encode("utf-8"))
    print_line(json.dumps(scores, ensure_ascii=False))
