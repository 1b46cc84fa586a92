"""Preparation of a run: examines the pairs, trains the tokenizer, tokenizes the corpus."""

import contextlib
import dataclasses
import hashlib
import shutil
import sys
from collections import deque
from collections.abc import Iterable, Iterator
from itertools import compress, count
from pathlib import Path
from typing import NamedTuple

import numpy as np
from tqdm import tqdm

from keras_bahdanau.errors import InputError
from keras_bahdanau.files import check_is_free, read_json, write_json
from keras_bahdanau.text.tokenizer import END_ID, Tokenizer
from keras_bahdanau.translation.model_directory import TOKENIZER_FILE

from ..corpora.examination import Examination, examine
from ..corpora.parallel_text import blocks
from ..options import TrainingOptions
from .corpus_report import CorpusReport, finding_rows, is_kept, limit_rows
from .corpus_writer import build_corpus
from .splits import Splits
from .tokenized_corpus import TokenizedCorpus

RUN_FILE, REPORT_FILE = "run.json", "corpus_report.json"
# Subdirectory of the translators that data diversification trains.
DIVERSIFICATION = "diversification"


class Prepared(NamedTuple):
    """The tokenizer and the tokenized training pairs of a run."""

    tokenizer: Tokenizer
    corpus: TokenizedCorpus


def prepare(
    splits: Splits, options: TrainingOptions, directory: Path, *, show_progress: bool = True
) -> Prepared:
    """Trains the tokenizer and tokenizes the corpus, or loads both from an earlier start.

    The training pairs are read three times and never held in memory as a whole: to examine them, to
    train the tokenizer on a sample, and to tokenize them. The corpus report goes to standard error
    and to `checkpoints/corpus_report.json`.

    Args:
        splits: the pairs of the run.
        options: the hyper-parameters of the run.
        directory: model directory.
        show_progress: whether to draw progress bars.

    Raises:
        InputError: the directory holds something else or a run of other options or pairs; there
            are no validation pairs; the training pairs are unusable.
    """
    if not splits.validation:
        raise InputError("Expected at least one validation pair. Received: none")
    directory = Path(directory)
    checkpoints, tokenizer_path = directory / "checkpoints", directory / TOKENIZER_FILE
    run_path = checkpoints / RUN_FILE
    text = _Text(splits, options, show_progress)
    check_can_hold_run(directory)
    if _holds_run(directory):
        deque(text.read("comparing the corpus"), maxlen=0)
        _check_same_run(text.run(), read_json(run_path), directory)
        tokenizer = Tokenizer.load(tokenizer_path)
        try:
            return Prepared(tokenizer, TokenizedCorpus(checkpoints / "corpus"))
        except InputError:
            examination = text.examine(checkpoints)
        return Prepared(tokenizer, _tokenize(text, examination, tokenizer, checkpoints))
    with _new_directory(directory), _new_directory(checkpoints):
        examination = text.examine(checkpoints)
        tokenizer = Tokenizer.train(text.sample(examination), options.vocabulary_size)
        corpus = _tokenize(text, examination, tokenizer, checkpoints)
    tokenizer.save(tokenizer_path)
    # Last, because it marks the preparation as complete.
    write_json(run_path, text.run())
    return Prepared(tokenizer, corpus)


@contextlib.contextmanager
def _new_directory(path: Path) -> Iterator[None]:
    """Makes a directory, and removes it after an InputError if it is empty."""
    path.mkdir(parents=True, exist_ok=True)
    try:
        yield
    except InputError:
        with contextlib.suppress(OSError):
            path.rmdir()
        raise


class _Text:
    """The training pairs of a run, read in one pass for each purpose."""

    def __init__(self, splits: Splits, options: TrainingOptions, show_progress: bool) -> None:
        self.splits, self.options, self.show_progress = splits, options, show_progress
        self._fingerprint = ""

    def read(self, description: str) -> Iterator[tuple[str, str]]:
        """Yields the training pairs; at the end, their fingerprint is known."""
        splits, digest = self.splits, hashlib.sha256()
        for block in blocks(self._bar(splits.train, description)):
            _update(digest, block)
            yield from block
        # With cleaning, the training pairs depend on the test pairs.
        _update(digest, [*splits.validation, *(splits.test if self.options.clean else ())])
        self._fingerprint = digest.hexdigest()

    def run(self) -> dict:
        """Returns the content of `run.json`, which a later start is compared with."""
        return {"options": dataclasses.asdict(self.options), "pairs": self._fingerprint}

    def examine(self, directory: Path) -> Examination:
        """Examines the training pairs; raises InputError if none is kept."""
        held_out = {"validation": self.splits.validation, "test": self.splits.test}
        examination = examine(self.read("examining the corpus"), held_out, directory)
        if not is_kept(examination, self.options.clean).any():
            left_out = "that cleaning leaves out" if self.options.clean else "with a blank side"
            raise InputError(
                "Expected at least one pair with text on both sides. "
                f"Received: {len(examination.findings)} pairs {left_out} and no other"
            )
        return examination

    def sample(self, examination: Examination) -> Iterator[str]:
        """Yields the texts that the tokenizer is trained on, evenly spread over the corpus."""
        kept = is_kept(examination, self.options.clean)
        total, wanted = int(np.count_nonzero(kept)), max(self.options.vocabulary_sample // 2, 1)
        for number, pair in enumerate(self._kept(kept, "reading a sample")):
            if number * wanted // total != (number + 1) * wanted // total:
                yield from pair

    def encoded(self, kept: np.ndarray, tokenizer: Tokenizer) -> Iterator[tuple[list, list]]:
        """Yields the token ids of both sides of the kept pairs."""
        for block in blocks(self._kept(kept, "tokenizing the corpus")):
            yield from zip(*map(tokenizer.encode_all, zip(*block, strict=True)), strict=True)

    def _kept(self, kept, description):
        return compress(self._bar(self.splits.train, description, len(kept)), kept)

    def _bar(self, pairs: Iterable, description: str, total: int | None = None) -> tqdm:
        return tqdm(
            pairs,
            description,
            total,
            leave=False,
            unit=" pairs",
            unit_scale=True,
            # `None`: no bar unless standard error is a terminal.
            disable=None if self.show_progress else True,
        )


def _update(digest, pairs):
    digest.update("".join(f"{source}\n{target}\n" for source, target in pairs).encode())


def _tokenize(text, examination, tokenizer, checkpoints):
    """Writes and opens the tokenized corpus, and reports on the training pairs."""
    options, path = text.options, checkpoints / "corpus"
    shutil.rmtree(path, ignore_errors=True)
    kept = is_kept(examination, options.clean)
    corpus = build_corpus(
        path,
        text.encoded(kept, tokenizer),
        end_id=END_ID,
        max_length=options.max_length,
        vocabulary_size=tokenizer.vocabulary_size,
        on_long=options.long_pairs,
        max_length_ratio=options.max_length_ratio,
        on_uneven="drop" if options.clean else "keep",
        line_numbers=compress(count(1), kept),
    )
    sizes = {"validation": len(text.splits.validation), "test": len(text.splits.test)}
    rows = [*finding_rows(examination, options.clean, sizes), *limit_rows(corpus, options)]
    report = CorpusReport(len(kept), len(corpus), rows)
    write_json(checkpoints / REPORT_FILE, report.as_dict())
    print(report.table(), file=sys.stderr, flush=True)
    return corpus


def check_can_hold_run(directory: Path):
    """Raises InputError if a directory holds neither a run nor what an interrupted start left."""
    if not _holds_run(directory):
        # The tokenizer's temporary file is there if the process was killed while writing it.
        left = (TOKENIZER_FILE, f".{TOKENIZER_FILE}.*", "checkpoints", DIVERSIFICATION)
        check_is_free(directory, left, "a new or empty directory, or one of a run to continue")


def _holds_run(directory):
    return (directory / "checkpoints" / RUN_FILE).is_file()


def _check_same_run(run, before, directory):
    options = before.get("options", {})
    changed = [
        f"{name} {options.get(name)} instead of {value}"
        for name, value in run["options"].items()
        if options.get(name) != value
    ]
    if before.get("pairs") != run["pairs"]:
        tested = ", validation or test" if run["options"]["clean"] else " or validation"
        changed.append(f"other training{tested} pairs")
    if changed:
        raise InputError(
            f"Expected the options of the run in {directory} (or another directory). Received: it "
            f"was started with {', '.join(changed)}"
        )
