"""Parallel text and batches of the training benchmarks."""

import subprocess
import sys
from pathlib import Path

from peers import peer_programs

BATCHES_FILE = "batches.npz"
TOKENIZER_FILE = "tokenizer.model"
TEXTS = ("source_train", "target_train", "source_validation", "target_validation")


def add_text_arguments(parser):
    """Adds what both benchmarks need to find texts, batches and peers."""
    parser.add_argument(
        "--data", type=Path, required=True, metavar="DIR", help="where the batches are, or are put"
    )
    for name in TEXTS:
        parser.add_argument(f"--{name.replace('_', '-')}", metavar="FILE")
    parser.add_argument(
        "--environments",
        type=Path,
        default=peer_programs.DEFAULT_DIRECTORY,
        metavar="DIR",
        help="where peers/install.py installed (%(default)s)",
    )


def prepare(options):
    """Makes tokenizer and batches, unless `options.data` holds them already.

    Raises:
        ValueError: they are not there, and neither is a text to make them of.
        RuntimeError: they could not be made.
    """
    if (options.data / BATCHES_FILE).is_file() and (options.data / TOKENIZER_FILE).is_file():
        return
    arguments = []
    for name in TEXTS:
        flag, path = f"--{name.replace('_', '-')}", getattr(options, name)
        if not path:
            raise ValueError(f"expected {flag}, because {options.data} holds no batches yet")
        arguments += [flag, path]
    process = subprocess.run(
        [sys.executable, peer_programs.PREPARATION, *arguments, "--output", options.data]
    )
    if process.returncode:
        raise RuntimeError(f"the batches could not be made (exit code {process.returncode})")
