import numpy as np

from keras_bahdanau.training.corpora.examination import Examination, Finding
from keras_bahdanau.training.data.corpus_report import CLEANED, CorpusReport, finding_rows, is_kept

FLAGS = [0, Finding.BLANK, Finding.COPY, Finding.REPEATED_SOURCE, *[Finding.SOURCE_IN_TEST] * 6]
FOUND = Examination(
    np.array(FLAGS, dtype=np.uint16), "Latin", "Han and kana", {"validation": 0, "test": 3}
)


def report(clean, test=4):
    rows = finding_rows(FOUND, clean, {"validation": 2, "test": test})
    return CorpusReport(len(FLAGS), int(is_kept(FOUND, clean).sum()), rows)


def test_cleaning_leaves_out_what_is_only_reported_otherwise():
    assert is_kept(FOUND, clean=False).tolist() == [True, False, *[True] * 8]
    assert is_kept(FOUND, clean=True).tolist() == [True, False, False, True, *[False] * 6]
    assert Finding.REPEATED_SOURCE not in CLEANED


def test_rows_name_the_first_lines_and_what_was_found_of_the_test_set():
    (row,) = [row for row in report(clean=True).rows if row.name == "source_in_test"]
    assert (row.pairs, row.first_lines, row.is_left_out) == (6, (5, 6, 7, 8, 9), True)
    assert row.description == "source in test (3 of 4)"


def test_there_is_no_row_of_a_set_that_there_is_not():
    names = [row.name for row in report(clean=True, test=0).rows]
    assert names == [each.name.lower() for each in Finding if "TEST" not in each.name]


def test_the_table_has_one_line_for_each_row():
    read, *rows, trained_on = report(clean=False).table().splitlines()[1:]
    assert read.split() == ["read", "10", "100.00%"]
    assert trained_on.split() == ["trained", "on", "9", "90.00%"]
    assert len(rows) == len(Finding)
    assert rows[0].split("  ")[-1] == "2"
    assert "left out" in rows[0]
    (copies,) = [line for line in rows if line.startswith("target is a copy")]
    assert copies.split()[-4:] == ["1", "10.00%", "kept", "3"]
    (scripts,) = [line for line in rows if line.startswith("target not in Han and kana")]
    assert scripts.split()[-2:] == ["0", "0.00%"]


def test_the_json_says_the_same():
    facts = report(clean=True).as_dict()
    assert (facts["pairs_read"], facts["pairs_kept"]) == (10, 2)
    assert facts["findings"]["copy"] == {
        "pairs": 1,
        "share": 0.1,
        "first_lines": [3],
        "left_out": True,
        "description": "target is a copy of the source",
    }
