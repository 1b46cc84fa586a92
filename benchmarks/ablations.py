"""Ablation study of the `multi30k` preset: each variant changes one option.

Every variant is a run of `keras-bahdanau train` in a process of its own, once for each seed. A
run's result is written to the output file when it ends. Started again, the program skips the runs
in this file and resumes an interrupted run from its checkpoint.

The columns: weights; BLEU on the validation set, greedy and with beam search (whose length penalty
is chosen there); BLEU on the test set with beam search; CPU and wall time of the whole run. With
several seeds, means and the sample standard deviation of the test BLEU. Other load on the machine
increases CPU and wall time.

Example:

    python benchmarks/ablations.py --source-train train.en --target-train train.de \\
        --source-validation val.en --target-validation val.de \\
        --source-test test.en --target-test test.de \\
        --runs /tmp/ablations --output ablations.jsonl
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

# Flags that each variant adds to those of the preset.
VARIANTS = {
    "preset": [],
    "attention before the cell": ["--order", "before"],
    "target and output embeddings tied": ["--tie-embeddings", "target"],
    "no embeddings tied": ["--tie-embeddings", "none"],
    "no dropout": ["--dropout", "0"],
    "less dropout": ["--dropout", "0.2"],
    "more dropout": ["--dropout", "0.4"],
    "attention dropout": ["--attention-dropout", "0.1"],
    "recurrent (variational) dropout": ["--recurrent-dropout", "0.2"],
    "no label smoothing": ["--label-smoothing", "0"],
    "data diversification": ["--diversify", "1"],
    "no average of the weights": ["--ema-momentum", "0"],
    "constant learning rate": ["--final-learning-rate", "1"],
    "half the learning rate": ["--learning-rate", "0.001"],
    "twice the learning rate": ["--learning-rate", "0.004"],
    "four times the learning rate": ["--learning-rate", "0.008"],
    "vocabulary of 3,000": ["--vocabulary-size", "3000"],
    "vocabulary of 8,000": ["--vocabulary-size", "8000"],
    "bfloat16": ["--precision", "bfloat16"],
    "no attention": ["--attention", "none"],
}
SPLITS = ("train", "validation", "test")


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    for split in SPLITS:
        for side in ("source", "target"):
            parser.add_argument(f"--{side}-{split}", required=True, metavar="FILE")
    parser.add_argument("--preset", default="multi30k", help="what is varied (%(default)s)")
    parser.add_argument(
        "--tokenize", default="13a", help="sacreBLEU's tokenizer; none for tokenized text"
    )
    parser.add_argument("--seeds", type=int, nargs="+", default=[1], metavar="N")
    parser.add_argument(
        "--only", nargs="+", choices=VARIANTS, metavar="VARIANT", help="; ".join(VARIANTS)
    )
    parser.add_argument("--flags", nargs=argparse.REMAINDER, default=[], help="for every run")
    parser.add_argument("--runs", type=Path, required=True, metavar="DIR", help="for the models")
    parser.add_argument("--output", type=Path, required=True, metavar="FILE.jsonl")
    options = parser.parse_args()
    for seed in options.seeds:
        for variant in options.only or VARIANTS:
            if (variant, seed) not in read(options.output):
                result = run(variant, seed, options)
                with open(options.output, "a", encoding="utf-8") as file:
                    file.write(json.dumps(result) + "\n")
    print(table(read(options.output)))


def run(variant, seed, options):
    """Trains one variant with one seed, and returns its result."""
    name = "-".join("".join(c if c.isalnum() else " " for c in variant).split())
    directory = options.runs / f"{name}-{seed}"
    command = [sys.executable, "-m", "keras_bahdanau", "train", "--preset", options.preset]
    for split in SPLITS:
        for side in ("source", "target"):
            command += [f"--{side}-{split}", getattr(options, f"{side}_{split}")]
    command += ["--tokenize", options.tokenize, "--seed", str(seed), "--export", "none"]
    command += [*options.flags, *VARIANTS[variant], "--output", str(directory)]
    started, cpu = time.monotonic(), os.times()
    subprocess.run(command, check=True)
    wall, after = time.monotonic() - started, os.times()
    metrics = json.loads((directory / "metrics.json").read_text(encoding="utf-8"))
    names = ("validation_bleu", "validation_bleu_beam", "length_penalty", "test_bleu", "weights")
    return {
        "variant": variant,
        "seed": seed,
        **{name: metrics[name] for name in names},
        "epochs": metrics["epochs"],
        "signature": metrics["signature"],
        "cpu_seconds": round(sum(after[2:4]) - sum(cpu[2:4])),
        "wall_seconds": round(wall),
    }


def read(path):
    """The results of a file, by variant and seed."""
    if not path.is_file():
        return {}
    results = map(json.loads, path.read_text(encoding="utf-8").splitlines())
    return {(result["variant"], result["seed"]): result for result in results}


def table(results):
    """All results as a Markdown table, one row for each variant."""
    lines = [
        "| variant | weights | validation, greedy | validation, beam | test, beam | seeds |"
        " CPU minutes | wall minutes |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for variant in dict.fromkeys(variant for variant, _ in results):
        runs = [result for (name, _), result in results.items() if name == variant]

        def mean(name, runs=runs):
            return statistics.mean(run[name] for run in runs)

        spread = ""
        if len(runs) > 1:
            spread = f" ± {statistics.stdev(run['test_bleu'] for run in runs):.2f}"
        lines.append(
            f"| {variant} | {runs[0]['weights'] / 1e6:.2f} M | {mean('validation_bleu'):.2f} |"
            f" {mean('validation_bleu_beam'):.2f} | {mean('test_bleu'):.2f}{spread} |"
            f" {len(runs)} | {mean('cpu_seconds') / 60:.0f} | {mean('wall_seconds') / 60:.0f} |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    main()
