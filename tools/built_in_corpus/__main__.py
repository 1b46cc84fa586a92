"""Writes the data file of the built-in corpus: `cd tools; python -m built_in_corpus`."""

import argparse
import bz2
from pathlib import Path

from keras_bahdanau.training.corpora.built_in import FILE

from .generation import generate_corpus


def corpus_file() -> bytes:
    """The bytes of the data file: a bzip2-compressed TSV file, the same on every platform."""
    lines = []
    for split, pairs in generate_corpus().items():
        for pair in pairs:
            alignment = " ".join(f"{source}-{target}" for source, target in pair.alignment)
            lines.append(f"{split}\t{pair.source}\t{pair.target}\t{alignment}\n")
    return bz2.compress("".join(lines).encode("utf-8"))


def main():
    parser = argparse.ArgumentParser(prog="built_in_corpus", description=__doc__)
    parser.add_argument(
        "output", nargs="?", type=Path, default=FILE, help="default: the file of the package"
    )
    path = parser.parse_args().output
    path.write_bytes(corpus_file())
    print(f"wrote {path} ({path.stat().st_size:,} bytes)")


if __name__ == "__main__":
    main()
