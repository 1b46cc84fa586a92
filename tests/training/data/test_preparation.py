import json

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from toy_corpus import toy_pairs

from keras_bahdanau.errors import InputError
from keras_bahdanau.text.tokenizer import Tokenizer
from keras_bahdanau.training.data.preparation import prepare
from keras_bahdanau.training.data.splits import Splits, file_splits
from keras_bahdanau.training.data.tokenized_corpus import TokenizedCorpus
from keras_bahdanau.training.presets import preset_options

GOOD = toy_pairs(60)
VALIDATION, TEST = [("the validation", "noitadilav eht")], [("Moon  Test", "tset noom"), ("x", "y")]


def prepared(pairs, directory, test=TEST, **options):
    options = preset_options(**{"vocabulary_size": 60, **options})
    return prepare(Splits(pairs, VALIDATION, test), options, directory, show_progress=False)


def report_of(directory):
    return json.loads((directory / "checkpoints" / "corpus_report.json").read_text())


# One pair for each kind of finding, with the lines that it stands on below.
BAD = {
    "blank": ("star", "  "),
    "repeated_pair": GOOD[3],
    "copy": ("alpha beta", " alpha beta"),
    "source_script": ("солнце луна", "alpha beta delta"),
    "target_script": ("alpha gamma", "луна солнце"),
    "source_in_validation": ("THE validation", "something"),
    "pair_in_test": ("moon test", "tset  NOOM"),
    "length_ratio": ("wolf " * 8, "flow"),
    "too_long": ("wind " * 40, "dniw " * 40),
}
REPEATED_SOURCE = (GOOD[0][0], "niar rain niar")


@pytest.fixture(scope="module", params=[False, True], ids=["report", "clean"])
def made(request, tmp_path_factory):
    """A corpus of which every count is known: (is clean, prepared, report)."""
    directory = tmp_path_factory.mktemp("made") / "run"
    pairs = [*GOOD, *BAD.values(), REPEATED_SOURCE, BAD["copy"]]
    corpus = prepared(pairs, directory, clean=request.param, max_length=40, long_pairs="drop")
    return request.param, corpus, report_of(directory)


def test_the_report_on_a_made_corpus_is_exact(made):
    clean, _, report = made
    lines = {name: [line] for line, name in enumerate(BAD, start=61)}
    lines["repeated_source"] = [70]
    # The last pair repeats the copy; the pair of the test set has a source of the test set.
    lines["copy"].append(71)
    lines["repeated_pair"].append(71)
    lines["source_in_test"] = lines["pair_in_test"]
    lines["pair_in_validation"] = []
    received = {name: row["first_lines"] for name, row in report["findings"].items()}
    assert received == lines
    for name, row in report["findings"].items():
        assert row["pairs"] == len(lines[name])
        assert row["share"] == pytest.approx(len(lines[name]) / 71, abs=1e-6)
        is_always_left_out = name in ("blank", "too_long")
        is_only_counted = name == "repeated_source"
        assert row["left_out"] == (is_always_left_out or (clean and not is_only_counted))
    assert report["pairs_read"] == 71
    assert report["pairs_kept"] == (61 if clean else 69)


def test_the_corpus_is_what_the_report_says(made):
    clean, (_, corpus), report = made
    assert len(corpus) == report["pairs_kept"]
    kept = [*range(1, 61), 70] if clean else [line for line in range(1, 72) if line not in (61, 69)]
    assert corpus.line_numbers.tolist() == kept


def test_cleaning_does_not_change_the_tokenizer_and_the_corpus_of_good_pairs(tmp_path):
    results = [prepared(GOOD, tmp_path / str(clean), clean=clean) for clean in (False, True)]
    first, second = results
    assert first.tokenizer.model_bytes == second.tokenizer.model_bytes
    for name in ("source", "target"):
        indices = np.arange(len(GOOD))
        first_ids, second_ids = (each.corpus.padded(name, indices, 40) for each in results)
        assert (first_ids == second_ids).all()


SIDES = st.sampled_from(["sun", "moon sun", "tree", "где", "1", "", "THE Validation", "wolf " * 9])


@settings(max_examples=15, suppress_health_check=[HealthCheck.too_slow])
@given(noise=st.lists(st.tuples(st.integers(0, 60), SIDES, SIDES), max_size=15))
def test_cleaning_keeps_the_order_and_every_good_pair(tmp_path_factory, noise):
    pairs = list(GOOD)
    for place, source, target in noise:
        pairs.insert(place, (source, target))
    directory = tmp_path_factory.mktemp("noise") / "run"
    tokenizer, corpus = prepared(pairs, directory, clean=True)
    lines = corpus.line_numbers.tolist()
    assert lines == sorted(set(lines))
    kept = [pairs[line - 1] for line in lines]
    for index, (source, target) in enumerate(kept):
        assert corpus.source(index)[:-1].tolist() == tokenizer.encode(source)
        assert corpus.target(index).tolist() == tokenizer.encode(target)
    # Noise may be equal to a good pair, and then one of the two is kept.
    assert set(GOOD) <= set(kept)
    assert len(set(kept)) == len(kept)
    assert not [pair for pair in kept if pair[0] == pair[1] or not pair[0] or not pair[1]]


@pytest.mark.parametrize("sample", [1, 7, 40, 119, 120, 1000])
def test_the_tokenizer_learns_from_a_sample_of_whole_pairs(tmp_path, monkeypatch, sample):
    read, train = [], Tokenizer.train

    def recorded(sentences, vocabulary_size):
        read.extend(sentences)
        return train([text for pair in GOOD for text in pair], vocabulary_size)

    monkeypatch.setattr(Tokenizer, "train", recorded)
    prepared([("", ""), *GOOD], tmp_path / "run", vocabulary_sample=sample)
    pairs = list(zip(read[0::2], read[1::2], strict=True))
    places = [GOOD.index(pair) for pair in pairs]
    assert len(pairs) == min(max(sample // 2, 1), len(GOOD))
    assert places == sorted(set(places))
    # Evenly spread.
    gaps = np.diff([-1, *places, len(GOOD)])
    assert gaps.max() <= len(GOOD) // len(pairs) + 2


def test_files_and_lists_are_prepared_alike(tmp_path):
    for name, lines in zip(("s", "t"), zip(*GOOD, strict=True), strict=True):
        (tmp_path / name).write_text("".join(f"{line}\n" for line in lines))
    (tmp_path / "v").write_text("the validation\tnoitadilav eht\n")
    sides = {"source_train": tmp_path / "s", "target_train": tmp_path / "t"}
    splits = file_splits({**sides, "validation": tmp_path / "v"})
    options = preset_options(vocabulary_size=60)
    from_files = prepare(splits, options, tmp_path / "run", show_progress=False)
    from_lists = prepared(GOOD, tmp_path / "other", test=[])
    assert from_files.tokenizer.model_bytes == from_lists.tokenizer.model_bytes
    runs = [(tmp_path / run / "checkpoints" / "run.json").read_bytes() for run in ("run", "other")]
    assert runs[0] == runs[1]


def test_a_later_start_takes_up_what_is_there(tmp_path, capsys):
    first = prepared(GOOD, tmp_path / "run")
    assert "trained on" in capsys.readouterr().err
    again = prepared(GOOD, tmp_path / "run")
    assert capsys.readouterr().err == ""
    assert again.tokenizer.model_bytes == first.tokenizer.model_bytes
    assert (again.corpus.source_lengths == first.corpus.source_lengths).all()


def test_a_damaged_corpus_is_made_anew(tmp_path):
    first = prepared([*GOOD, BAD["copy"]], tmp_path / "run", clean=True)
    expected = [first.corpus.source(index).tolist() for index in range(len(GOOD))]
    (tmp_path / "run" / "checkpoints" / "corpus" / "source_ids.npy").unlink()
    again = prepared([*GOOD, BAD["copy"]], tmp_path / "run", clean=True)
    assert [again.corpus.source(index).tolist() for index in range(len(again.corpus))] == expected
    assert isinstance(again.corpus, TokenizedCorpus)


def test_test_pairs_belong_to_a_run_only_if_it_is_cleaned(tmp_path):
    for clean in (False, True):
        prepared(GOOD, tmp_path / str(clean), clean=clean)
    prepared(GOOD, tmp_path / "False", test=[])
    with pytest.raises(InputError, match="other training, validation or test pairs"):
        prepared(GOOD, tmp_path / "True", test=[], clean=True)
    with pytest.raises(InputError, match="other training or validation pairs"):
        prepared(GOOD[1:], tmp_path / "False")


@pytest.mark.parametrize(
    ("pairs", "clean", "message"),
    [
        ([("a", " "), ("", "b")], False, "2 pairs with a blank side and no other"),
        ([("a", "a"), ("", "b")], True, "2 pairs that cleaning leaves out and no other"),
        ([], False, "0 pairs with a blank side"),
    ],
)
def test_no_pair_is_left(tmp_path, pairs, clean, message):
    with pytest.raises(InputError, match=message):
        prepared(pairs, tmp_path / "run", clean=clean)


def test_no_validation_pairs(tmp_path):
    with pytest.raises(InputError, match="at least one validation pair"):
        prepare(Splits(GOOD, [], []), preset_options(), tmp_path / "run")
