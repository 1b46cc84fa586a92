"""BLEU by source length, of a model with attention and of the same model without.

Bahdanau et al. (2015, figure 2): without attention the encoder represents a sentence by one vector
of fixed length, and BLEU falls with the sentence length. This program translates a test set with
two trained models (or more), groups the sentences by the number of their source words, and prints
corpus BLEU for each group and model as a table; --plot draws it.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from length_groups import groups_by_length, joined_pairs

from keras_bahdanau.command_line.parser import (
    OneLineParser,
    add_search_arguments,
    positive_integer,
    search_options,
)
from keras_bahdanau.errors import InputError

EXPLANATION = """
What to know when you read it:

  A group holds the sentences from one number of source words to another (words are what stands
  between spaces). Groups are made from short to long, each of at least --width numbers of words
  and --minimum sentences, the same for all models.

  Where test sentences are short, --concatenate 1 2 3 adds longer sources: every two (and every
  three) sentences in the order of the file are joined by a space to one, references likewise; what
  does not fill a last one is left out. They are not sentences that somebody wrote, and the models
  saw nothing like them in training, so they stand apart in table and plot.

  After the BLEU stands half the width of its 95 % interval (1000 bootstrap resamples of the
  group, by sacreBLEU). BLEU of different groups is BLEU of different texts: compare models within
  a group, and slopes between models.

  A text longer than a model's limit of pieces would be translated in parts, which hides what this
  is about. The program says how many were (and `split_sentences` in the JSON lines): train with a
  larger --max-length if it is not 0.

Examples:
  keras-bahdanau train ... --output with
  keras-bahdanau train ... --output without --attention none
  python benchmarks/source_length.py attention=with fixed-length=without \\
      --source test.en --reference test.de --plot source_length.png
  python benchmarks/source_length.py attention=with fixed-length=without \\
      --source test.en --reference test.de --concatenate 1 2 3 --output source_length.jsonl
"""
BOOTSTRAP_SAMPLES = 1000


def main(arguments=None):
    options = _parser().parse_args(arguments)
    try:
        points = _measure(options)
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print("\n".join(table(points)))
    if options.plot:
        draw(points, options.plot)
    return 0


def table(points: Sequence[dict]):
    """Lines of a Markdown table: a row for each group, a column for each model."""
    models = list(dict.fromkeys(point["model"] for point in points))
    groups = {}
    for point in points:
        key = (point["joined"], point["first_words"], point["last_words"], point["sentences"])
        groups.setdefault(key, {})[point["model"]] = point
    yield "| " + " | ".join(["lines joined", "source words", "texts", *models]) + " |"
    yield "|---:|:---:" + "|---:" * (1 + len(models)) + "|"
    for (joined, first, last, sentences), found in groups.items():
        cells = [f"{found[name]['bleu']:.1f} ± {found[name]['interval']:.1f}" for name in models]
        yield f"| {joined} | {first}–{last} | {sentences} | " + " | ".join(cells) + " |"


def draw(points: Sequence[dict], path: str | Path):
    """Draws BLEU over the mean number of source words, a line for each model and joining."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    from keras_bahdanau.files import atomic_path

    figure = Figure(figsize=(8, 5), layout="constrained")
    axes = figure.add_subplot()
    lines, styles = {}, ("-", "--", ":", "-.")
    for point in points:
        lines.setdefault((point["model"], point["joined"]), []).append(point)
    colours = {model: f"C{i}" for i, model in enumerate(dict.fromkeys(m for m, _ in lines))}
    joinings = sorted({joined for _, joined in lines})
    for (model, joined), found in lines.items():
        axes.errorbar(
            [point["mean_words"] for point in found],
            [point["bleu"] for point in found],
            yerr=[point["interval"] for point in found],
            color=colours[model],
            linestyle=styles[joinings.index(joined) % len(styles)],
            marker="o",
            capsize=3,
            label=model if joined == 1 else f"{model}, {joined} sentences joined",
        )
    axes.set_xlabel("source words")
    axes.set_ylabel("BLEU (bars: 95 % interval)")
    axes.set_ylim(bottom=0)
    axes.grid(alpha=0.3)
    axes.legend()
    with atomic_path(path) as temporary:
        FigureCanvasAgg(figure).print_png(temporary)


def _measure(options):
    """Returns a dict for each model and group; `--output` gets each one as it is measured."""
    from keras_bahdanau import open_translator
    from keras_bahdanau.training.corpora.parallel_text import read_parallel

    pairs = read_parallel(options.source, options.reference)
    pairs = [pair for pair in pairs if all(text.strip() for text in pair)]
    groups = [
        group
        for count in sorted(set(options.concatenate))
        for group in groups_by_length(
            joined_pairs(pairs, count), joined=count, width=options.width, minimum=options.minimum
        )
    ]
    if not groups:
        raise InputError(f"Expected pairs without blank sides. Received: none in {options.source}")
    names = [name for name, _ in options.models]
    if len(set(names)) < len(names):
        raise InputError(f"Expected a name of its own for each model. Received: {' '.join(names)}")
    translators = [(name, open_translator(path)) for name, path in options.models]
    points = []
    if options.output:
        options.output.write_text("", encoding="utf-8")
    for name, translator in translators:
        for group in groups:
            points.append({"model": name, **_score(translator, group, options)})
            if options.output:
                with options.output.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(points[-1], ensure_ascii=False) + "\n")
        split = sum(point["split_sentences"] for point in points if point["model"] == name)
        print(f"{name}: done, {split} texts translated in parts", file=sys.stderr)
    return points


def _score(translator, group, options):
    from keras_bahdanau.training.evaluation import new_bleu

    sources, references = zip(*group.pairs, strict=True)
    ranked, split = translator.translate_n_best(sources, **search_options(options))
    bleu = new_bleu(options.tokenize)
    score = bleu.corpus_score(
        [best.text for best, *_ in ranked], [references], n_bootstrap=BOOTSTRAP_SAMPLES
    )
    signature = str(bleu.get_signature())
    # Absent where every resample scores 0.
    interval = json.loads(score.format(signature=signature, is_json=True)).get("confidence_var", 0)
    return {
        "joined": group.joined,
        "first_words": group.first_words,
        "last_words": group.last_words,
        "mean_words": round(group.mean_words, 2),
        "sentences": len(sources),
        "bleu": round(score.score, 2),
        "interval": round(interval, 2),
        "split_sentences": split,
        "signature": signature,
    }


def _parser():
    parser = OneLineParser(
        prog="source_length.py",
        description=__doc__,
        epilog=EXPLANATION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "models",
        nargs="+",
        type=_named_model,
        metavar="NAME=MODEL",
        help="a name for table and plot, and a trained model directory (or one of its exports)",
    )
    parser.add_argument("--source", required=True, help="source side of the test set, a line each")
    parser.add_argument("--reference", required=True, help="its translation, line by line")
    parser.add_argument("--plot", type=Path, metavar="FILE.png", help="where to draw it")
    parser.add_argument(
        "--output", type=Path, metavar="FILE.jsonl", help="one JSON object for each number"
    )
    parser.add_argument(
        "--concatenate",
        type=positive_integer,
        nargs="+",
        default=[1],
        metavar="K",
        help="test with every K lines joined to one, for each K (1)",
    )
    parser.add_argument(
        "--width", type=positive_integer, default=5, help="numbers of words in a group (5)"
    )
    parser.add_argument(
        "--minimum", type=positive_integer, default=50, help="sentences in a group, at least (50)"
    )
    parser.add_argument(
        "--tokenize",
        choices=("13a", "intl", "char", "none"),
        default="13a",
        help="sacreBLEU's tokenizer; none for text that is tokenised already (13a)",
    )
    add_search_arguments(parser)
    return parser


def _named_model(text):
    name, equals, path = text.partition("=")
    if not (name and equals and path):
        raise argparse.ArgumentTypeError(f"expected NAME=MODEL. Received: {text}")
    return name, path


if __name__ == "__main__":
    sys.exit(main())
