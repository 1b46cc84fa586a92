"""`keras-bahdanau translate`."""

import sys
from itertools import islice

from keras_bahdanau.command_line.lines import (
    argument_texts,
    blocks,
    one_line,
    print_line,
    standard_input_lines,
)
from keras_bahdanau.command_line.parser import add_search_arguments, search_options
from keras_bahdanau.errors import InputError

DESCRIPTION = """\
Translate texts, or the lines of standard input. Each input line gives one output line, in the
same order; an empty line stays empty. With --n-best, the translations of a line are separated by
tabs, best first. A line longer than the model's limit is cut at sentence ends (else at spaces),
translated part by part and joined.

MODEL is a trained model directory, an exported SavedModel version directory, or a .tflite file
(or its directory) beside its tokenizer. An export takes the search options it was exported with.
With --server, no MODEL: a TensorFlow Serving somewhere else translates with such an export.
"""
EPILOG = """\
examples:
  keras-bahdanau translate my-model "A dog runs over the grass."
  keras-bahdanau translate my-model < source.txt > translated.txt
  keras-bahdanau translate my-model --beam-width 10 --n-best 3 --length-penalty 0.8 < source.txt
  keras-bahdanau translate my-model --sample --top-k 10 --seed 1 --n-best 4 < source.txt
  keras-bahdanau translate my-model --ensemble other-model --ensemble third-model < source.txt
  keras-bahdanau translate my-model --alignments attention.html "A dog runs over the grass."
  keras-bahdanau translate my-model --with-alignments hard < source.txt
  keras-bahdanau translate my-model/saved-model/1 "A dog runs over the grass."
  keras-bahdanau translate my-model/litert/translator.tflite "A dog runs over the grass."
  keras-bahdanau translate --server localhost:8500 < source.txt > translated.txt
"""
# Lines read before they are translated: enough to batch by length, little to wait for.
BLOCK = 1024


def add_arguments(parser):
    parser.add_argument("model", metavar="MODEL", nargs="?", help="what to translate with")
    parser.add_argument("texts", metavar="TEXT", nargs="*", help="texts; none: standard input")
    parser.open_positional = "texts"
    add_search_arguments(parser)
    parser.add_argument(
        "--server",
        metavar="HOST:PORT",
        help="in place of MODEL: the gRPC port of a TensorFlow Serving (8500 unless it was given "
        "another); takes keras-bahdanau[serving]",
    )
    parser.add_argument(
        "--model-name", default="translator", metavar="NAME", help="of the model on the server"
    )
    parser.add_argument(
        "--target-prefixes",
        metavar="FILE",
        help="what each translation begins with: a line for each text, which may be empty",
    )
    parser.add_argument(
        "--alignments",
        metavar="FILE",
        help="write what the model attended to: a heat map (.png) or a page to hover (.html)",
    )
    parser.add_argument(
        "--with-alignments",
        choices=("hard", "soft"),
        help='add " ||| " and the word alignment to each translation: links "source-target" of '
        "words from 0 (Pharaoh's format), or for each target word the weights of all source words",
    )


def run(arguments):
    from keras_bahdanau.alignments import check_alignments_path, write_alignments

    if arguments.alignments:
        check_alignments_path(arguments.alignments)
    if arguments.server and arguments.model is not None:
        # There is no MODEL, so what stands in its place is the first text.
        arguments.texts.insert(0, arguments.model)
    elif not arguments.server and arguments.model is None:
        raise InputError("Expected a MODEL or --server. Received: neither")
    texts = argument_texts(arguments.texts)

    options = {**search_options(arguments), "batch_size": arguments.batch_size}
    options["return_alignments"] = bool(arguments.alignments or arguments.with_alignments)

    from keras_bahdanau.command_line import models

    if arguments.server:
        translator = models.open_server(arguments.server, arguments.model_name)
    else:
        translator = models.open_translator(arguments.model, arguments.ensemble or ())
    is_typed = not texts and sys.stdin is not None and sys.stdin.isatty()
    if is_typed:
        print("Type a line to translate; end with Ctrl-D.", file=sys.stderr)
    prefixes = _prefixes(arguments.target_prefixes)
    alignments, number_split = [], 0
    for block in blocks(texts or standard_input_lines(), 1 if is_typed else BLOCK):
        if prefixes is not None:
            options["prefixes"] = list(islice(prefixes, len(block)))
        translations, split_here = translator.translate_n_best(block, **options)
        if options["return_alignments"]:
            _check_attention(translations, arguments.model)
        if arguments.alignments:
            alignments += [ranked[0].word_alignment(keep_ends=True) for ranked in translations]
        for ranked in translations:
            print_line("\t".join(_shown(each, arguments.with_alignments) for each in ranked))
        number_split += split_here
    if prefixes is not None and next(prefixes, None) is not None:
        raise InputError(
            f"Expected as many lines as texts. Received: more in {arguments.target_prefixes}"
        )
    if number_split:
        print(
            f"note: lines longer than the model's limit{_limit(translator)}, "
            f"translated in parts: {number_split}",
            file=sys.stderr,
        )
    if arguments.alignments:
        write_alignments(arguments.alignments, alignments)
        print(f"alignments: {arguments.alignments}", file=sys.stderr)


def _limit(translator):
    return f" of {translator.max_length} pieces" if translator.max_length else ""


def _prefixes(path):
    """The lines of a file, or `None`."""
    if path is None:
        return None
    from keras_bahdanau.training.corpora.parallel_text import lines

    return iter(lines(path))


def _check_attention(translations, model):
    if any(ranked[0].attention is None for ranked in translations):
        raise InputError(
            "Expected a trained model directory or a SavedModel for alignments. "
            f"Received: {model}, which gives no attention weights"
        )


def _shown(translation, kind):
    """The text of a translation, with its alignment if a kind of it is asked for."""
    text = one_line(translation.text)
    if kind is None:
        return text
    alignment = translation.word_alignment()
    return f"{text} ||| {alignment.pharaoh() if kind == 'hard' else alignment.soft()}"
