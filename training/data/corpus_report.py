"""Corpus report: how many training pairs of each kind there are, and which are left out."""

from typing import NamedTuple

import numpy as np

from ..corpora.examination import Examination, Finding
from ..options import TrainingOptions
from .tokenized_corpus import EXAMPLES, TokenizedCorpus

# What is always left out, and what cleaning leaves out. Other findings are only counted.
ALWAYS = Finding.BLANK
CLEANED = (
    Finding.REPEATED_PAIR
    | Finding.COPY
    | Finding.SOURCE_SCRIPT
    | Finding.TARGET_SCRIPT
    | Finding.SOURCE_IN_VALIDATION
    | Finding.PAIR_IN_VALIDATION
    | Finding.SOURCE_IN_TEST
    | Finding.PAIR_IN_TEST
)


class Row(NamedTuple):
    """One kind of finding.

    Attributes:
        name: its key in the JSON file.
        description: its label in the table.
        pairs: number of pairs.
        first_lines: line numbers of the first few, from 1.
        is_left_out: whether such pairs are left out of training.
    """

    name: str
    description: str
    pairs: int
    first_lines: tuple[int, ...]
    is_left_out: bool


class CorpusReport(NamedTuple):
    """The findings in a corpus.

    Attributes:
        pairs_read: number of pairs of the training text.
        pairs_kept: number of pairs that are trained on.
        rows: a `Row` for every kind of finding. A pair is counted in each row that applies; the
            last two rows (limits on lengths) count only pairs that were not left out before.
    """

    pairs_read: int
    pairs_kept: int
    rows: list[Row]

    def as_dict(self) -> dict:
        """Returns the content of the JSON file."""
        findings = {
            row.name: {
                "pairs": row.pairs,
                "share": round(row.pairs / self.pairs_read, 6),
                "first_lines": list(row.first_lines),
                "left_out": row.is_left_out,
                "description": row.description,
            }
            for row in self.rows
        }
        return {"pairs_read": self.pairs_read, "pairs_kept": self.pairs_kept, "findings": findings}

    def table(self) -> str:
        """Returns the report as a table of several lines."""
        width = max(len(row.description) for row in self.rows)
        lines = [f"{'training pairs':{width}}  {'pairs':>11}  {'share':>7}            first lines"]
        lines.append(self._line("read", self.pairs_read, width))
        for row in self.rows:
            line = self._line(row.description, row.pairs, width)
            decision = "left out" if row.is_left_out else "kept"
            numbers = ", ".join(map(str, row.first_lines))
            lines.append(f"{line}  {decision:8}  {numbers}".rstrip() if row.pairs else line)
        lines.append(self._line("trained on", self.pairs_kept, width))
        return "\n".join(lines)

    def _line(self, description, pairs, width):
        return f"{description:{width}}  {pairs:11,}  {pairs / self.pairs_read:7.2%}"


def is_kept(examination: Examination, clean: bool) -> np.ndarray:
    """Returns which pairs are kept and tokenized: bool array `(pairs,)`."""
    reasons = ALWAYS | CLEANED if clean else ALWAYS
    return (examination.findings & np.uint16(reasons)) == 0


def finding_rows(examination: Examination, clean: bool, held_out_sizes: dict) -> list[Row]:
    """Returns a row for each kind of `Finding`; none about a held-out set without pairs.

    Args:
        examination: the result of `examine`.
        clean: whether pairs are left out by cleaning.
        held_out_sizes: number of pairs of `"validation"` and `"test"`.
    """
    descriptions = {
        Finding.BLANK: "a side is blank",
        Finding.REPEATED_PAIR: "pair repeated",
        Finding.REPEATED_SOURCE: "source repeated with another target",
        Finding.COPY: "target is a copy of the source",
        Finding.SOURCE_SCRIPT: f"source not in {examination.source_script or 'any'} script",
        Finding.TARGET_SCRIPT: f"target not in {examination.target_script or 'any'} script",
    }
    for name, size in held_out_sizes.items():
        if size:
            found = f"{examination.held_out[name]:,} of {size:,}"
            descriptions[Finding[f"SOURCE_IN_{name.upper()}"]] = f"source in {name} ({found})"
            descriptions[Finding[f"PAIR_IN_{name.upper()}"]] = f"pair in {name}"
    left_out = ALWAYS | CLEANED if clean else ALWAYS
    rows = []
    for finding, description in descriptions.items():
        is_found = (examination.findings & np.uint16(finding)) != 0
        count, is_left_out = int(np.count_nonzero(is_found)), finding in left_out
        rows.append(Row(finding.name.lower(), description, count, _first(is_found), is_left_out))
    return rows


def limit_rows(corpus: TokenizedCorpus, options: TrainingOptions) -> list[Row]:
    """Returns the rows about the limits on lengths, which were applied to the tokenized pairs."""
    uneven, long = corpus.uneven_pairs, corpus.long_pairs
    times = f"a side over {options.max_length_ratio:g} times as long in pieces"
    return [
        Row("length_ratio", times, *uneven, is_left_out=options.clean),
        Row("too_long", f"a side over {options.max_length} pieces", *long, is_left_out=True),
    ]


def _first(is_found: np.ndarray) -> tuple[int, ...]:
    lines, start = [], 0
    while len(lines) < EXAMPLES and is_found[start:].any():
        start += int(is_found[start:].argmax()) + 1
        lines.append(start)
    return tuple(lines)
