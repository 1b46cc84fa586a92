"""`keras-bahdanau translate`."""

import sys
from collections import deque
from itertools import islice
from pathlib import Path

from keras_bahdanau.command_line.lines import (
    argument_texts,
    blocks,
    is_terminal,
    line_progress,
    one_line,
    source_lines,
)
from keras_bahdanau.command_line.parser import add_search_arguments, search_options
from keras_bahdanau.command_line.results import ResultFile, StandardOutput
from keras_bahdanau.errors import InputError

DESCRIPTION = """\
Translate texts, or the lines of standard input. Each input line gives one output line, in the
same order; an empty line stays empty. With --n-best, the translations of a line are separated by
tabs, best first. A line longer than the model's limit is cut at sentence ends (else at spaces),
translated part by part and joined. Batches of lines of like lengths keep all cores busy; memory
does not grow with the number of lines.

MODEL is a trained model directory, an exported SavedModel version directory, or a .tflite file
(or its directory) beside its tokenizer. An export takes the search options it was exported with.
With --server, no MODEL: a TensorFlow Serving somewhere else translates with such an export.
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
  keras-bahdanau translate my-model/litert/translator.tflite "A dog runs over the grass."
  keras-bahdanau translate --server localhost:8500 < source.txt > translated.txt
"""
# Lines read before they are translated: enough to batch by length, little to wait for.
BLOCK = 1024


def add_arguments(parser):
    parser.add_argument("model", metavar="MODEL", nargs="?", help="what to translate with")
    parser.add_argument("texts", metavar="TEXT", nargs="*", help="texts; none: standard input")
    parser.open_positional = "texts"
    parser.add_argument("--input", metavar="FILE", help="translate the lines of a file (or .gz)")
    parser.add_argument(
        "--output",
        metavar="FILE",
        help="write to a file, which is there when it is whole, and show the progress",
    )
    parser.add_argument(
        "--resume",
        action="store_true",
        help="go on where the same call with --input and --output was interrupted",
    )
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
    _check_files(arguments, texts)

    search = search_options(arguments)
    options = {**search, "batch_size": arguments.batch_size}
    options["return_alignments"] = bool(arguments.alignments or arguments.with_alignments)
    results = _results(arguments, search)
    if results is None:
        print(f"finished before: {arguments.output}", file=sys.stderr)
        return

    from keras_bahdanau.command_line import models

    if arguments.server:
        translator = models.open_server(arguments.server, arguments.model_name)
    else:
        translator = models.open_translator(arguments.model, arguments.ensemble or ())
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
            if options["return_alignments"]:
                _check_attention(translations, arguments.model)
            if arguments.alignments:
                alignments += [ranked[0].word_alignment(keep_ends=True) for ranked in translations]
            kind = arguments.with_alignments
            results.write(
                ["\t".join(_shown(each, kind) for each in ranked) for ranked in translations]
            )
            bar.update(len(block))
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


def _check_files(arguments, texts):
    if arguments.input:
        from keras_bahdanau.training.corpora.parallel_text import check_is_file

        check_is_file(arguments.input)
    if arguments.input and texts:
        raise InputError("Expected --input or texts. Received: both")
    if arguments.resume and not (arguments.input and arguments.output):
        raise InputError("Expected --input and --output with --resume. Received: not both")
    if arguments.resume and arguments.alignments:
        raise InputError("Expected no --alignments, which are drawn at the end, with --resume")


def _results(arguments, search):
    """Where the results go, or `None` if they are there."""
    if not arguments.output:
        return StandardOutput()
    origin = {
        "model": arguments.server or str(Path(arguments.model).resolve()),
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
