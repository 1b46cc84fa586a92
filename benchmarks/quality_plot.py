"""BLEU over training time, plotted for `time_to_quality.py`."""

import textwrap

from matplotlib.figure import Figure

# Characters of a label in a line above the picture.
LABEL_WIDTH = 95


def plot(results, targets, path):
    """Writes a PNG: BLEU on the validation set against the CPU-minutes of training.

    Args:
        results: dict of labels and lists of points, dicts with `cpu_seconds` and `bleu`.
        targets: BLEU values that lines are drawn at.
        path: the file.
    """
    figure = Figure(figsize=(8, 5), layout="constrained")
    axes = figure.add_subplot()
    for target in targets:
        axes.axhline(target, color="0.85", linewidth=0.8)
    for label, points in results.items():
        minutes = [point["cpu_seconds"] / 60 for point in points]
        label = textwrap.fill(label, LABEL_WIDTH, break_on_hyphens=False)
        axes.plot(minutes, [point["bleu"] for point in points], marker=".", label=label)
    axes.set_xlim(left=0)
    axes.set_xlabel("CPU-minutes of training on one core")
    axes.set_ylabel("BLEU on the validation set, greedy")
    axes.set_yticks(sorted({*range(10, min(targets), 5), *targets}))
    axes.set_ylim(bottom=5)
    figure.legend(loc="outside upper left", frameon=False)
    figure.savefig(path, dpi=150)
