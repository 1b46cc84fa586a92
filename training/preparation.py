"""What a run prepares once: the tokenizer and the tokenized corpus."""

import dataclasses
import hashlib
import shutil
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from keras_bahdanau.errors import InputError
from keras_bahdanau.model_directory import TOKENIZER_FILE, read_json, write_json
from keras_bahdanau.text.tokenizer import END_ID, Tokenizer
from keras_bahdanau.training.corpora.parallel_text import without_blank_pairs
from keras_bahdanau.training.dataset import TokenizedCorpus
from keras_bahdanau.training.options import TrainingOptions
from keras_bahdanau.training.splits import Splits

RUN_FILE = "run.json"


class Prepared(NamedTuple):
    """The tokenizer and the tokenized training pairs of a run."""

    tokenizer: Tokenizer
    corpus: TokenizedCorpus


def prepare(splits: Splits, options: TrainingOptions, directory: Path) -> Prepared:
    """Learns the tokenizer and tokenizes the corpus, or takes up what an earlier start left.

    Raises:
        InputError: the directory holds something else or a run of other options or pairs; there
            are no validation pairs; the training pairs are unusable.
    """
    if not splits.validation:
        raise InputError("Expected at least one validation pair. Received: none")
    directory = Path(directory)
    run = {"options": dataclasses.asdict(options), "pairs": _fingerprint(splits)}
    tokenizer_path = directory / TOKENIZER_FILE
    corpus_path = directory / "checkpoints" / "corpus"
    run_path = directory / "checkpoints" / RUN_FILE
    if run_path.is_file():
        _check_same_run(run, read_json(run_path), directory)
        tokenizer = Tokenizer.load(tokenizer_path)
        try:
            return Prepared(tokenizer, TokenizedCorpus(corpus_path))
        except InputError:
            return Prepared(tokenizer, _tokenize(splits, tokenizer, options, corpus_path))
    _check_is_free(directory)
    pairs = without_blank_pairs(splits.train).pairs
    tokenizer = Tokenizer.train(chain.from_iterable(pairs), options.vocabulary_size)
    corpus = _tokenize(splits, tokenizer, options, corpus_path)
    tokenizer.save(tokenizer_path)
    # Last, because it says that the rest is there.
    write_json(run_path, run)
    return Prepared(tokenizer, corpus)


def _tokenize(splits, tokenizer, options, corpus_path):
    pairs = without_blank_pairs(splits.train)
    shutil.rmtree(corpus_path, ignore_errors=True)
    return TokenizedCorpus.build(
        corpus_path,
        ((tokenizer.encode(source), tokenizer.encode(target)) for source, target in pairs.pairs),
        end_id=END_ID,
        max_length=options.max_length,
        vocabulary_size=tokenizer.vocabulary_size,
        on_long=options.long_pairs,
        line_numbers=pairs.line_numbers,
    )


def _check_is_free(directory):
    # What an interrupted preparation leaves is made anew.
    left = (TOKENIZER_FILE, "checkpoints")
    if directory.exists() and not directory.is_dir():
        raise InputError(f"Expected a directory. Received: {directory}, which is a file")
    names = [path.name for path in directory.iterdir()] if directory.exists() else []
    # A kill while the tokenizer is written leaves its temporary file too.
    if any(name not in left and not name.startswith(f".{TOKENIZER_FILE}.") for name in names):
        raise InputError(
            "Expected a new or empty directory, or one of a run to continue. Received: "
            f"{directory}, which holds something else"
        )


def _check_same_run(run, before, directory):
    options = before.get("options", {})
    changed = [
        f"{name} {options.get(name)} instead of {value}"
        for name, value in run["options"].items()
        if options.get(name) != value
    ]
    if before.get("pairs") != run["pairs"]:
        changed.append("other training or validation pairs")
    if changed:
        raise InputError(
            f"Expected the options of the run in {directory} (or another directory). Received: it "
            f"was started with {', '.join(changed)}"
        )


def _fingerprint(splits):
    digest = hashlib.sha256()
    for source, target in [*splits.train, *splits.validation]:
        digest.update(f"{source}\n{target}\n".encode())
    return digest.hexdigest()
