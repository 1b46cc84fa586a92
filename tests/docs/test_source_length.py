import json
import subprocess
import sys

import pytest
import sacrebleu
from checkout import BENCHMARKS
from hypothesis import given
from hypothesis import strategies as st
from small_translator import small_translator

LENGTHS = st.lists(st.integers(1, 40), min_size=1, max_size=60)


@pytest.fixture(scope="module")
def length_groups():
    """The module `length_groups`."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(BENCHMARKS))
        import length_groups
    return length_groups


def pairs_of(lengths):
    return [(" ".join(["w"] * length), f"reference {i}") for i, length in enumerate(lengths)]


@given(LENGTHS, st.integers(1, 12), st.integers(1, 15))
def test_every_pair_is_in_one_group_and_groups_are_large_enough(
    length_groups, lengths, width, minimum
):
    pairs = pairs_of(lengths)
    groups = length_groups.groups_by_length(pairs, joined=2, width=width, minimum=minimum)
    assert sorted(pair for group in groups for pair in group.pairs) == sorted(pairs)
    for group in groups:
        words = [len(source.split()) for source, _ in group.pairs]
        assert (min(words), max(words)) == (group.first_words, group.last_words)
        assert group.mean_words == pytest.approx(sum(words) / len(words))
        assert len(words) >= min(minimum, len(pairs))
        assert group.joined == 2
    for shorter, longer in zip(groups, groups[1:], strict=False):
        assert shorter.last_words < longer.first_words
        assert shorter.last_words - shorter.first_words + 1 >= width


def test_pairs_are_joined_in_their_order_without_a_rest(length_groups):
    pairs = [(f"a{i}", f"b{i}") for i in range(5)]
    joined = length_groups.joined_pairs
    assert joined(pairs, 1) == pairs
    assert joined(pairs, 2) == [("a0 a1", "b0 b1"), ("a2 a3", "b2 b3")]
    assert joined(pairs, 6) == []


def run(*arguments):
    return subprocess.run(
        [sys.executable, BENCHMARKS / "source_length.py", *map(str, arguments)],
        capture_output=True,
        text=True,
    )


def test_a_model_without_a_name_is_refused():
    process = run("my-model", "--source", "a", "--reference", "b")
    assert process.returncode == 2
    assert "expected NAME=MODEL. Received: my-model" in process.stderr


@pytest.mark.slow
def test_its_numbers_are_sacrebleus_for_each_group(length_groups, tmp_path):
    translators = {
        "attention": small_translator(),
        "fixed-length": small_translator(attention="none"),
    }
    for name, translator in translators.items():
        translator.save(tmp_path / name)
    words = "the red dog runs and a small cat sleeps".split()
    sources = [" ".join(words[: 1 + i % 9]) for i in range(30)]
    # Close to what the first model says, so that it scores.
    references = translators["attention"].translate(sources, beam_width=1)
    references = [f"{text} el" if i % 3 else text for i, text in enumerate(references)]
    for name, lines in (("source", sources), ("reference", references)):
        (tmp_path / name).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    process = run(
        *(f"{name}={tmp_path / name}" for name in translators),
        *("--source", tmp_path / "source", "--reference", tmp_path / "reference"),
        *("--concatenate", 2, 1, "--width", 3, "--minimum", 8, "--beam-width", 1),
        *("--tokenize", "none", "--output", tmp_path / "x.jsonl", "--plot", tmp_path / "x.png"),
    )
    assert process.returncode == 0, process.stderr
    points = [json.loads(line) for line in (tmp_path / "x.jsonl").read_text().splitlines()]
    expected = []
    for name, translator in translators.items():
        for count in (1, 2):
            pairs = length_groups.joined_pairs(list(zip(sources, references, strict=True)), count)
            options = {"joined": count, "width": 3, "minimum": 8}
            for group in length_groups.groups_by_length(pairs, **options):
                texts, wanted = zip(*group.pairs, strict=True)
                found = translator.translate(texts, beam_width=1)
                bleu = sacrebleu.BLEU(tokenize="none").corpus_score(found, [wanted]).score
                lengths = (group.first_words, group.last_words, len(texts))
                expected.append((name, count, *lengths, pytest.approx(bleu, abs=0.01)))
    columns = ("model", "joined", "first_words", "last_words", "sentences", "bleu")
    assert [tuple(point[column] for column in columns) for point in points] == expected
    assert points[0]["bleu"] > 20 and len(points) > 6
    rows = [line for line in process.stdout.splitlines() if "–" in line]
    assert len(rows) == len(points) / 2
    for row, first, second in zip(rows, points, points[len(rows) :], strict=False):
        assert [f"{each['bleu']:.1f}" for each in (first, second)] == [
            cell.split(" ± ")[0] for cell in row.strip("| ").split(" | ")[3:]
        ]
    assert (tmp_path / "x.png").read_bytes().startswith(b"\x89PNG")
