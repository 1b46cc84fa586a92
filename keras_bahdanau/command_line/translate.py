"""`keras-bahdanau translate`."""

import sys
from collections import deque
from itertools import islice
from pathlib import Path

from keras_bahdanau.command_line.lines import (
    argument_texts,
    is_terminal,
    line_progress,
    one_line,
    report_split,
    source_lines,
)
from keras_bahdanau.command_line.parser import add_search_arguments, search_options
from keras_bahdanau.command_line.results import ResultFile, StandardOutput
from keras_bahdanau.errors import InputError

DESCRIPTION = """\
Translate texts, or the lines of standard input. Each input line gives one output line, in the
same order; an empty line stays empty. With --n-best, the translations of a line are separated by
tabs, best first. A line longer than the model's limit is split at sentence ends (else at spaces),
translated part by part and joined. Lines are batched by length and translated on all cores; memory
does not grow with the number of lines.

MODEL is a trained model directory; an exported SavedModel (a version directory, or the directory of
the versions); an exported LiteRT directory or its .tflite file; or the address HOST:PORT of a
TensorFlow Serving that serves an exported SavedModel, which --server takes in its place. Search
options are fixed in an export.
"""
EPILOG = """\
examples:
  keras-bahdanau translate my-model "A dog runs over the grass."
  keras-bahdanau translate my-model < source.txt > translated.txt
  keras-bahdanau translate my-model --input source.txt.gz --output translated.txt --resume
  keras-bahdanau translate my-model --beam-width 10 --n-best 3 --length-penalty 0.8 < source.txt
  keras-bahdanau translate my-model --sample --top-k 10 --seed 1 --n-best 4 < source.txt
  keras-bahdanau translate my-model --ensemble other-model --ensemble third-model < source.txt
  keras-bahdanau translate my-model --alignments attention.html "A dog runs over the grass."
  keras-bahdanau translate my-model --with-alignments hard < source.txt
  keras-bahdanau translate my-model/saved-model/1 "A dog runs over the grass."
  keras-bahdanau translate my-model/litert "A dog runs over the grass."
  keras-bahdanau translate --server localhost:8500 < source.txt > translated.txt
"""
# Lines that are read, batched by length and translated together.
BLOCK = 1024


def add_arguments(parser):
    parser.add_argument(
        "model", metavar="MODEL", nargs="?", help="model directory, export or HOST:PORT"
    )
    parser.add_argument(
        "texts", metavar="TEXT", nargs="*", help="texts (default: the lines of standard input)"
    )
    parser.open_positional = "texts"
    parser.add_argument("--input", metavar="FILE", help="translate the lines of a file (or .gz)")
    parser.add_argument(
        "--output",
        metavar="FILE",
        help="write to a file, which appears when it is complete, and show the progress",
    )
    parser.add_argument(
        "--resume",
        action="store_true",
        help="resume the same call with --input and --output after an interruption",
    )
    add_search_arguments(parser)
    parser.add_argument(
        "--server",
        metavar="HOST:PORT",
        help="in place of MODEL: gRPC address of a TensorFlow Serving (its default port is 8500); "
        "needs keras-bahdanau[serving]",
    )
    parser.add_argument(
        "--model-name", default="translator", metavar="NAME", help="name of the model on the server"
    )
    parser.add_argument(
        "--target-prefixes",
        metavar="FILE",
        help="forced prefixes of the translations: one line for each text, which may be empty",
    )
    parser.add_argument(
        "--alignments",
        metavar="FILE",
        help="draw the attention: a heat map (.png) or an interactive page (.html)",
    )
    parser.add_argument(
        "--with-alignments",
        choices=("hard", "soft"),
        help='append " ||| " and the word alignment to each translation: hard links '
        '"source-target", words numbered from 0 (Pharaoh format), or soft weights of all source '
        "words for each target word",
    )


def run(arguments):
    if arguments.alignments:
        from keras_bahdanau.alignments import check_alignments_path

        check_alignments_path(arguments.alignments)
    if arguments.server and arguments.model is not None:
        # The parser took the first text for MODEL.
        arguments.texts.insert(0, arguments.model)
    elif not arguments.server and arguments.model is None:
        raise InputError("Expected a MODEL or --server. Received: neither")
    texts = argument_texts(arguments.texts)
    _check_arguments(arguments, texts)

    search = search_options(arguments)
    options = {**search, "batch_size": arguments.batch_size}
    options["return_alignments"] = bool(arguments.alignments or arguments.with_alignments)
    results = _results(arguments, search)
    if results is None:
        print(f"already complete: {arguments.output}", file=sys.stderr)
        return

    from keras_bahdanau.loading import open_server, open_translator
    from keras_bahdanau.training.corpora.parallel_text import blocks

    if arguments.server:
        translator = open_server(arguments.server, arguments.model_name)
    else:
        translator = open_translator(
            arguments.model, arguments.ensemble or (), model_name=arguments.model_name
        )
    is_typed = not texts and not arguments.input and is_terminal(sys.stdin)
    if is_typed:
        print("Type a line to translate; end with Ctrl-D.", file=sys.stderr)
    sources, prefixes = source_lines(arguments.input, texts), _prefixes(arguments.target_prefixes)
    alignments, number_split = [], 0
    with (
        results,
        line_progress(arguments.input, results.done, is_shown=bool(arguments.output)) as bar,
    ):
        for lines in (sources, prefixes or ()):
            deque(islice(lines, results.done), maxlen=0)
        for block in blocks(sources, 1 if is_typed else BLOCK):
            if prefixes is not None:
                options["prefixes"] = list(islice(prefixes, len(block)))
            translations, split_here = translator.translate_n_best(block, **options)
            if arguments.alignments:
                alignments += [ranked[0].word_alignment(keep_ends=True) for ranked in translations]
            kind = arguments.with_alignments
            results.write(
                [
                    "\t".join(_with_alignment(each, kind) for each in ranked)
                    for ranked in translations
                ]
            )
            bar.update(len(block))
            number_split += split_here
        if prefixes is not None and next(prefixes, None) is not None:
            raise InputError(
                f"Expected as many lines as texts. Received: more in {arguments.target_prefixes}"
            )
    report_split(number_split, translator.max_length)
    if arguments.alignments:
        from keras_bahdanau.alignments import write_alignments

        write_alignments(arguments.alignments, alignments)
        print(f"alignments: {arguments.alignments}", file=sys.stderr)


def _check_arguments(arguments, texts):
    if arguments.server and arguments.ensemble:
        raise InputError("Expected --server or --ensemble. Received: both")
    if arguments.input:
        from keras_bahdanau.training.corpora.parallel_text import check_is_file

        check_is_file(arguments.input)
    if arguments.input and texts:
        raise InputError("Expected --input or texts. Received: both")
    if arguments.resume and not (arguments.input and arguments.output):
        raise InputError("Expected --input and --output with --resume. Received: not both")
    if arguments.resume and arguments.alignments:
        raise InputError("Expected --resume without --alignments. Received: both")


def _results(arguments, search):
    """Standard output or a `ResultFile`; `None` if an earlier run finished it."""
    if not arguments.output:
        return StandardOutput()
    origin = {
        "model": arguments.server or _absolute(arguments.model),
        "with_alignments": arguments.with_alignments,
        **{
            name: list(value) if isinstance(value, tuple) else value
            for name, value in search.items()
        },
    }
    for name in ("input", "target_prefixes"):
        if path := getattr(arguments, name):
            path = Path(path).resolve()
            size = path.stat().st_size if path.is_file() else None
            origin |= {name: str(path), f"bytes of {name}": size}
    results = ResultFile(arguments.output, origin, arguments.resume)
    return None if results.is_finished else results


def _absolute(model):
    # An address is not a path.
    return str(Path(model).resolve()) if Path(model).exists() else model


def _prefixes(path):
    """Iterator of the lines of a file, or `None`."""
    if path is None:
        return None
    from keras_bahdanau.training.corpora.parallel_text import lines

    return iter(lines(path))


def _with_alignment(translation, kind):
    """The text of a translation on one line, and its word alignment, `kind`, if any."""
    text = one_line(translation.text)
    if kind is None:
        return text
    alignment = translation.word_alignment()
    return f"{text} ||| {alignment.pharaoh() if kind == 'hard' else alignment.soft()}"
